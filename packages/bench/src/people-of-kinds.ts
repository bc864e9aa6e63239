import type { Local, ServiceName } from '@gatehouse/local'
import pg from 'pg'

/** Addresses that a stranger may ask about. */
export interface PeopleOfKinds {
  readonly known: readonly string[]
  readonly suspended: readonly string[]
  /** Known, with a hash of bcrypt from elsewhere. */
  readonly imported: readonly string[]
}

/** Of cost 10, which takes some five times as long as ours. */
const fromElsewhere = '$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'

/** Sees to it that so many of each kind exist; `hash` is as auth keeps its own. The imported ones get their passwords from {@link importHashes}. */
export async function peopleOfKinds(local: Local, count: number, hash: string): Promise<PeopleOfKinds> {
  const make = async (kind: string, state: 'active' | 'suspended', hasPassword: boolean): Promise<readonly string[]> => {
    const rows = await ask<{ id: string; email: string }>(
      local,
      'user',
      `insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
       select 'default', uuidv7(), $2, $3 || n || '@timing.example', $3 || n || '@timing.example', true, $3 || n, $3 || n, 'en'
       from generate_series(1, $1::integer) as n
       on conflict (tenant, email_key) do update set name = excluded.name returning id, email`,
      [count, state, `${kind}-`],
    )
    if (hasPassword)
      await ask(
        local,
        'auth',
        `insert into credentials (tenant, user_id, password_hash, version, create_time, update_time)
         select 'default', id, $2, 1, now(), now() from unnest($1::uuid[]) as id on conflict do nothing`,
        [rows.map(({ id }) => id), hash],
      )
    return rows.map(({ email }) => email)
  }
  return {
    known: await make('known', 'active', true),
    suspended: await make('suspended', 'suspended', true),
    imported: await make('imported', 'active', false),
  }
}

/** The lines for `gatehouse auth import-passwords`. */
export function hashLines(emails: readonly string[]): string {
  return emails.map((email) => JSON.stringify({ email, hash: fromElsewhere })).join('\n')
}

async function ask<Row extends pg.QueryResultRow>(local: Local, name: ServiceName, sql: string, values: unknown[]): Promise<Row[]> {
  const client = new pg.Client(local.environment(name).DATABASE_URL)
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
