import { compiledOnce, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { hexOf } from '../refresh-tokens.ts'
import type { Db } from '../schema.ts'
import type { RecordKind } from './oidc-tables.ts'

/** A token that is looked up: of a grant or a session that has ended there is none. */
export interface TokenRow {
  readonly kind: Extract<RecordKind, 'AccessToken' | 'ClientCredentials' | 'RefreshToken'>
  readonly payload: string
  readonly consume_time: Date | null
  /** Whether somebody has used the refresh token that followed. */
  readonly successor_used: boolean
}

type TokenArgs = { readonly tenant: string; readonly hashes: readonly Uint8Array[]; readonly now: Date }

const findTokens = compiledOnce((_: Db, value: Value<TokenArgs>) => {
  const [tenant, now] = [value(({ tenant: of }) => of), value((args) => args.now)]
  return sql<TokenRow & { id_hash: Uint8Array }>`
    select r.id_hash, r.kind, r.payload, r.consume_time,
      r.successor_hash is not null and exists (
        select from oidc_records s where s.tenant = r.tenant and s.id_hash = r.successor_hash and s.consume_time is not null) as successor_used
    from oidc_records r
    left join oidc_grants g on g.tenant = r.tenant and g.id = r.grant_id
    left join sessions s on s.tenant = r.tenant and s.id = r.session_id
    where r.tenant = ${tenant} and r.id_hash = any(${value(({ hashes }) => hashes)}::bytea[])
      and r.kind in ('AccessToken', 'ClientCredentials', 'RefreshToken') and r.expire_time > ${now}::timestamptz
      and (r.grant_id is null or (g.end_time is null and g.expire_time > ${now}::timestamptz))
      and (r.session_id is null or (s.end_time is null and s.idle_expire_time > ${now}::timestamptz and s.expire_time > ${now}::timestamptz))`
})

/** Living tokens by {@link hexOf} their hash. */
export async function findLivingTokens(db: Db, args: TokenArgs): Promise<ReadonlyMap<string, TokenRow>> {
  return new Map((await findTokens(db, args)).map((row) => [hexOf(row.id_hash), row]))
}

/** What a signed token says that it ends with. */
export interface TokenEnds {
  readonly tenant: string
  readonly tokenId: string
  readonly grantId: string | null
  readonly sessionId: string | null
}

type EndsArgs = { readonly tenant: string; readonly of: readonly TokenEnds[]; readonly now: Date }

/** A token names the session that it ends with, or in its place the grant: one that outlives its session, or else the session in which that was given. A grant that outlives its session keeps no token of that session alive. */
const findGoingOn = compiledOnce((_: Db, value: Value<EndsArgs>) => {
  const [tenant, now] = [value((args) => args.tenant), value((args) => args.now)]
  return sql<{ token_id: string; generation: number | null }>`
    select a.token_id, case when a.grant_id is null then s.generation end as generation
    from unnest(${value(({ of }) => of.map(({ tokenId }) => tokenId))}::uuid[], ${value(({ of }) => of.map(({ grantId }) => grantId))}::uuid[],
      ${value(({ of }) => of.map(({ sessionId }) => sessionId))}::uuid[]) a (token_id, grant_id, session_id)
    left join oidc_grants g on g.tenant = ${tenant} and g.id = a.grant_id
    left join sessions s on s.tenant = ${tenant} and s.id = case when a.session_id = a.grant_id then g.session_id else a.session_id end
    where not exists (select from revocations r where r.tenant = ${tenant} and r.session_id = a.token_id)
      and (a.grant_id is null or (g.end_time is null and g.expire_time > ${now}::timestamptz))
      and ((g.offline is true and a.session_id = a.grant_id) or (a.grant_id is null and a.session_id is null)
        or (s.end_time is null and s.idle_expire_time > ${now}::timestamptz and s.expire_time > ${now}::timestamptz))`
})

/** Of these tokens those that nothing has ended, by their id, with how often the session of a first-party one was raised. */
export async function findGoingOnTokens(db: Db, args: EndsArgs): Promise<ReadonlyMap<string, { readonly generation: number }>> {
  return new Map((await findGoingOn(db, args)).map(({ token_id: id, generation }) => [id, { generation: generation ?? 0 }]))
}
