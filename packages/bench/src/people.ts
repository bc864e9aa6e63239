import type { Local, ServiceName } from '@gatehouse/local'
import pg from 'pg'

/** Sees to it that at least so many people exist, and answers the ids of `wanted` of them, spread over all. */
export async function somePeople(local: Local, count: number, wanted: number): Promise<readonly string[]> {
  return withDatabase(local, 'user', async (client) => {
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
  })
}

/** Somebody as a mail would address them. */
export interface Reader {
  readonly id: string
  readonly email: string
  readonly name: string
}

/** Sees to it that at least `wanted` people exist, and answers so many of them. */
export async function someReaders(local: Local, wanted: number): Promise<readonly Reader[]> {
  const ids = await somePeople(local, Math.max(10_000, wanted), wanted)
  return withDatabase(local, 'user', async (client) => {
    const { rows } = await client.query<Reader>('select id, email, name from users where id = any($1)', [ids])
    return rows
  })
}

/** People who can sign in, all with one password: hashing one for each would take the machine a while. */
export interface PeopleWithPassword {
  readonly emails: readonly string[]
  readonly password: string
  /** As auth keeps it. */
  readonly hash: string
}

const known = new WeakMap<Local, Promise<PeopleWithPassword>>()

/** The same 128 for every benchmark of a house: to make them again would give them another password. */
export function peopleWithPassword(local: Local): Promise<PeopleWithPassword> {
  const people = known.get(local) ?? makePeople(local, 128)
  known.set(local, people)
  return people
}

async function makePeople(local: Local, wanted: number): Promise<PeopleWithPassword> {
  const ids = await somePeople(local, 10_000, wanted)
  const model = JSON.parse(await local.gatehouse('auth', 'dev', 'person', 'model@bench.example')) as { user_id: string; password: string }
  const hash = await withDatabase(local, 'auth', async (client) => {
    await client.query(
      `insert into credentials (tenant, user_id, password_hash, version, create_time, update_time)
       select tenant, other, password_hash, version, now(), now() from credentials, unnest($2::uuid[]) as other where user_id = $1
       on conflict (tenant, user_id) do update set password_hash = excluded.password_hash`,
      [model.user_id, ids],
    )
    const { rows } = await client.query<{ password_hash: string }>('select password_hash from credentials where user_id = $1', [
      model.user_id,
    ])
    return rows[0]?.password_hash ?? ''
  })
  const emails = await withDatabase(local, 'user', async (client) => {
    const { rows } = await client.query<{ email: string }>('select email from users where id = any($1)', [ids])
    return rows.map(({ email }) => email)
  })
  return { emails, password: model.password, hash }
}

/**
 * Sees to it that the tables of sessions are as full as those of a house that people live in. Postgres plans a prepared statement once, for tables as
 * it knows them: what it plans for empty ones is no figure of anything.
 */
export async function otherSessions(local: Local, count: number): Promise<void> {
  await withDatabase(local, 'auth', async (client) => {
    await client.query(
      `with others as (
         insert into sessions (tenant, id, user_id, client_id, create_time, last_use_time, idle_expire_time, expire_time, auth_time, amr,
           user_agent, network, version)
         select 'default', uuidv7(), uuidv7(), 'gatehouse', now(), now(), now() + '30 days', now() + '90 days', now(), '{pwd}', 'bench', '', 1
         from generate_series(1, $1 - (select count(*) from sessions)) returning tenant, id, user_id),
       epochs as (insert into session_epochs (tenant, user_id, epoch) select tenant, user_id, 0 from others)
       insert into refresh_tokens (tenant, token_hash, session_id, create_time) select tenant, sha256(uuid_send(id)), id, now() from others`,
      [count],
    )
    await client.query('analyze sessions, session_epochs, refresh_tokens, credentials')
  })
}

/** Runs something over one connection to a service’s database, as the service. */
export async function withDatabase<T>(local: Local, name: ServiceName, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(local.environment(name).DATABASE_URL)
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}
