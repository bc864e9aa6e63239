import { sql } from 'kysely'
import { hexOf } from './refresh-tokens.ts'
import type { Db } from './schema.ts'
import { type SessionRow, sessionColumns } from './sessions.ts'

/** A refresh token that gives way to its successor, and what is seen of its session by that. */
export interface Rotation {
  readonly tenant: string
  readonly tokenHash: Uint8Array
  readonly successorHash: Uint8Array
  readonly keyVersion: number
  readonly time: Date
  /** When the session ends if it is not refreshed again; never later than the session itself. */
  readonly idleExpireTime: Date
  readonly userAgent: string
  readonly network: string
}

/**
 * Uses the tokens up, adds their successors and touches their sessions, as one statement that happens whole or not at all. Answers the sessions by
 * the hash of the token; a token that is used up already, or whose session has ended, is left out, and nothing of it changes.
 *
 * Sessions are locked first, in the order of their ids as everywhere: refreshes of one session pass one after the other, and whoever waited
 * sees with `use_time is null`, which Postgres checks again on the row as it is by then, that another was faster.
 */
export async function rotateRefreshTokens(
  db: Db,
  tenant: string,
  rotations: readonly Rotation[],
): Promise<ReadonlyMap<string, SessionRow>> {
  const { rows } = await sql<SessionRow & { token_hash: Uint8Array }>`
    with given as (
      select * from unnest(
        ${rotations.map((each) => each.tokenHash)}::bytea[], ${rotations.map((each) => each.successorHash)}::bytea[],
        ${rotations.map((each) => each.keyVersion)}::integer[], ${rotations.map((each) => each.time)}::timestamptz[],
        ${rotations.map((each) => each.idleExpireTime)}::timestamptz[], ${rotations.map((each) => each.userAgent)}::text[],
        ${rotations.map((each) => each.network)}::text[]
      ) as g (token_hash, successor_hash, key_version, time, idle_expire_time, user_agent, network)),
    going_on as materialized (
      select t.session_id, g.*
      from given g
      join refresh_tokens t on t.tenant = ${tenant} and t.token_hash = g.token_hash
      join sessions s on s.tenant = ${tenant} and s.id = t.session_id
      where s.end_time is null and s.idle_expire_time > g.time and s.expire_time > g.time
      order by s.id for update of s),
    used_up as (
      update refresh_tokens t set use_time = g.time, key_version = g.key_version, successor_hash = g.successor_hash
      from going_on g
      where t.tenant = ${tenant} and t.token_hash = g.token_hash and t.use_time is null
      returning g.*),
    successors as (
      insert into refresh_tokens (tenant, token_hash, session_id, create_time)
      select ${tenant}, successor_hash, session_id, time from used_up)
    update sessions s set
      last_use_time = u.time, idle_expire_time = least(u.idle_expire_time, s.expire_time), user_agent = u.user_agent, network = u.network
    from used_up u where s.tenant = ${tenant} and s.id = u.session_id
    returning ${sql.join(sessionColumns.map((column) => sql.ref(`s.${column}`)))}, u.token_hash`.execute(db)
  return new Map(rows.map(({ token_hash, ...session }) => [hexOf(token_hash), session]))
}
