import type { Local } from '@gatehouse/local'
import pg from 'pg'

/** Sees to it that at least so many people exist, and answers the ids of `wanted` of them, spread over all. */
export async function somePeople(local: Local, count: number, wanted: number): Promise<readonly string[]> {
  const client = new pg.Client(local.environment('user').DATABASE_URL)
  await client.connect()
  try {
    await client.query(
      `insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
       select 'default', uuidv7(), 'active', 'person-' || n || '@bench.example', 'person-' || n || '@bench.example', true,
              'Person ' || n, 'person ' || n, 'en'
       from generate_series(1, $1::integer) as n
       on conflict do nothing`,
      [count],
    )
    await client.query('analyze users')
    const { rows } = await client.query<{ id: string }>(
      `select id from (select id, row_number() over (order by id) as n from users where email_key like 'person-%') as all_of_them
       where n % greatest(1, $1::integer / $2::integer) = 0 limit $2::integer`,
      [count, wanted],
    )
    return rows.map(({ id }) => id)
  } finally {
    await client.end()
  }
}
