import { type FoundRecord, findByUserCode as findByCodeHash, findRecord as readRecord } from '../../../store/oidc/records.ts'
import type { Deps } from '../../deps.ts'
import type { FindOptions, Payload, RecordKind } from '../oidc-parts.ts'
import { hashInRef, recordHash, recordRef, userCodeHash } from './record-hash.ts'
import { fromStored } from './stored-payload.ts'

type Reading = Pick<Deps, 'db' | 'now' | 'challengeKeys' | 'lifetimes'>

/** What is kept under an id, unless the grant or the session that it belongs to has ended. */
export async function findRecord(
  deps: Reading,
  { tenant, kind, id, refs = false }: { tenant: string; kind: RecordKind; id: string } & FindOptions,
): Promise<Payload | undefined> {
  const hash = (refs ? hashInRef(deps, tenant, id) : undefined) ?? recordHash(id)
  const row = await readRecord(deps.db, { tenant, hash, kind, now: new Date(deps.now()) })
  return row && payloadOf(deps, { kind, id }, row)
}

/** The device code of which somebody typed the other half. Nobody here has its id: it goes by a handle. */
export async function findByUserCode(deps: Reading, tenant: string, userCode: string): Promise<Payload | undefined> {
  for (const key of deps.challengeKeys.accepted) {
    const row = await findByCodeHash(deps.db, { tenant, userCodeHash: userCodeHash(key, tenant, userCode), now: new Date(deps.now()) })
    if (row) return { ...payloadOf(deps, { kind: 'DeviceCode', id: recordRef(deps, tenant, row.id_hash) }, row), userCode }
  }
  return undefined
}

function payloadOf(deps: Reading, of: { kind: RecordKind; id: string }, row: FoundRecord): Payload {
  const payload = fromStored(of, row.payload)
  if (row.consume_time === null || (of.kind === 'RefreshToken' && isHarmless(deps, row))) return payload
  return { ...payload, consumed: Math.floor(row.consume_time.getTime() / 1000) }
}

/** Used up a moment ago, and nobody has used what followed: two at once, or an answer that got lost. */
export function isHarmless(
  deps: Pick<Deps, 'now' | 'lifetimes'>,
  { consume_time, successor_used }: Pick<FoundRecord, 'consume_time' | 'successor_used'>,
): boolean {
  return consume_time !== null && !successor_used && deps.now() - consume_time.getTime() <= deps.lifetimes.refreshGraceSeconds * 1000
}
