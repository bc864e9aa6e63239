import { type ColumnTypes, compiledOnce, rowsAsTable, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { hexOf } from './refresh-tokens.ts'
import { rolesOf } from './role-bindings.ts'
import type { Db } from './schema.ts'
import { type SessionRow, sessionColumns } from './sessions.ts'

/** A refresh token that gives way to its successor, and what is seen of its session by that. */
export type Rotation = {
  readonly tenant: string
  readonly token_hash: Uint8Array
  readonly successor_hash: Uint8Array
  /** Of the refresh key that the successor is derived with. */
  readonly key_version: number
  readonly time: Date
  /** When the session ends if it is not refreshed again; never later than the session itself. */
  readonly idle_expire_time: Date
  /** When it ends at the latest. */
  readonly expire_time: Date
  readonly user_agent: string
  readonly network: string
}

/** The session, and the roles of its person at that moment. */
export interface Rotated {
  readonly session: SessionRow
  readonly roles: readonly string[]
}

/** The token was used up already, or its session has ended. */
export const untouched = 'untouched'

/**
 * Uses the tokens up, adds their successors and touches their sessions, as one statement that happens whole or not at all. Answers the sessions; of a
 * token that is used up already, or whose session has ended, nothing changes.
 *
 * Sessions are locked first, in the order of their ids as everywhere: refreshes of one session pass one after the other, and whoever waited
 * sees with `use_time is null`, which Postgres checks again on the row as it is by then, that another was faster.
 */
export async function rotateRefreshTokens(db: Db, rotations: readonly Rotation[]): Promise<(Rotated | typeof untouched)[]> {
  const rows = await rotate(db, rotations)
  const rotated = new Map(rows.map(({ token_hash, roles, ...session }) => [`${session.tenant} ${hexOf(token_hash)}`, { session, roles }]))
  return rotations.map(({ tenant, token_hash }) => rotated.get(`${tenant} ${hexOf(token_hash)}`) ?? untouched)
}

const types: ColumnTypes<Rotation> = {
  tenant: 'text',
  token_hash: 'bytea',
  successor_hash: 'bytea',
  key_version: 'integer',
  time: 'timestamptz',
  idle_expire_time: 'timestamptz',
  expire_time: 'timestamptz',
  user_agent: 'text',
  network: 'text',
}

const rotate = compiledOnce((_: Db, value: Value<readonly Rotation[]>) => {
  const given = rowsAsTable('given', types, (column) => value((rotations) => rotations.map((each) => each[column])))
  return sql<SessionRow & { token_hash: Uint8Array; roles: string[] }>`
    with going_on as materialized (
      select t.session_id, given.*
      from ${given}
      join refresh_tokens t on t.tenant = given.tenant and t.token_hash = given.token_hash
      join sessions s on s.tenant = t.tenant and s.id = t.session_id
      where s.end_time is null and s.idle_expire_time > given.time and s.expire_time > given.time
      order by s.id for update of s),
    used_up as (
      update refresh_tokens t set use_time = g.time, key_version = g.key_version, successor_hash = g.successor_hash
      from going_on g
      where t.tenant = g.tenant and t.token_hash = g.token_hash and t.use_time is null
      returning g.*),
    successors as (
      insert into refresh_tokens (tenant, token_hash, session_id, create_time)
      select tenant, successor_hash, session_id, time from used_up)
    update sessions s set
      last_use_time = u.time, idle_expire_time = least(u.idle_expire_time, u.expire_time), expire_time = u.expire_time, user_agent = u.user_agent, network = u.network
    from used_up u where s.tenant = u.tenant and s.id = u.session_id
    returning ${sql.join(sessionColumns.map((column) => sql.ref(`s.${column}`)))}, u.token_hash, ${rolesOf('s.tenant', 's.user_id')} as roles`
})
