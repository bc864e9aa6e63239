import { randomBytes, randomUUID } from 'node:crypto'
import type { Local } from '@gatehouse/local'
import { withDatabase } from './people.ts'

/** Somebody with a session, whom nobody else of a run knows. */
export interface SignedInPerson {
  readonly userId: string
  readonly sessionId: string
  readonly refreshToken: string
}

/** Makes people who are signed in, each with one session; with a password where its hash is given. To sign each in by a password would take minutes. */
export async function signedInPeople(local: Local, count: number, hash?: string): Promise<readonly SignedInPerson[]> {
  const emails = Array.from({ length: count }, () => `ends-${randomUUID()}@bench.example`)
  const userIds = await withDatabase(local, 'user', async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
       select 'default', uuidv7(), 'active', email, email, true, 'Somebody Who Ends', 'somebody who ends', 'en' from unnest($1::text[]) as email
       returning id`,
      [emails],
    )
    return rows.map(({ id }) => id)
  })
  const people = userIds.map((userId) => ({
    userId,
    sessionId: randomUUID(),
    refreshToken: `ghr_${randomBytes(32).toString('base64url')}`,
  }))
  const columns = [userIds, people.map(({ sessionId }) => sessionId), people.map(({ refreshToken }) => refreshToken)]
  await withDatabase(local, 'auth', async (client) => {
    await client.query(
      `with those as (select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (user_id, session_id, token)),
       opened as (
         insert into sessions (tenant, id, user_id, client_id, create_time, last_use_time, idle_expire_time, expire_time, auth_time, amr,
           user_agent, network, version)
         select 'default', session_id, user_id, 'gatehouse', now(), now(), now() + '30 days', now() + '90 days', now(), '{pwd}', 'bench', '', 1
         from those),
       epochs as (insert into session_epochs (tenant, user_id, epoch) select 'default', user_id, 0 from those)
       insert into refresh_tokens (tenant, token_hash, session_id, create_time)
       select 'default', sha256(convert_to(token, 'UTF8')), session_id, now() from those`,
      columns,
    )
    if (hash !== undefined)
      await client.query(
        `insert into credentials (tenant, user_id, password_hash, version, create_time, update_time)
         select 'default', user_id, $2, 1, now(), now() from unnest($1::uuid[]) as user_id`,
        [userIds, hash],
      )
  })
  return people
}
