import type { KeyObject } from 'node:crypto'
import { transact } from '@gatehouse/postgres'
import { lockGrant } from '../../../store/oidc/grants.ts'
import { findRecord } from '../../../store/oidc/records.ts'
import { rotateRecord } from '../../../store/oidc/single-use.ts'
import { stranger } from '../../audit/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { endGrants } from '../grants/end-grants.ts'
import { isHarmless } from './find-record.ts'
import { recordHash } from './record-hash.ts'

type Rotating = Pick<Deps, 'db' | 'now' | 'lifetimes' | 'keys' | 'committed' | 'log'>

/** Answers the secret that makes the successor: to whoever is first, and again to whoever repeats it while that is harmless. */
export async function rotateRefreshRecord(
  deps: Rotating,
  { tenant, id, successorOf }: { tenant: string; id: string; successorOf: (secret: KeyObject) => string },
): Promise<{ readonly secret: KeyObject } | 'reused' | 'gone'> {
  const hash = recordHash(id)
  const newest = await deps.keys.refreshKey(tenant)
  const successorHash = recordHash(successorOf(newest.secret))
  const rotation = { tenant, hash, successorHash, keyVersion: newest.version, now: new Date(deps.now()) }
  if (await rotateRecord(deps.db, rotation)) return { secret: newest.secret }
  const met = await meetRepeat(deps, { tenant, hash })
  // A repeat may come after a rotation of the refresh keys: the successor stays the one of the version that made it.
  return typeof met === 'string' ? met : { secret: (await deps.keys.refreshKey(tenant, met.keyVersion)).secret }
}

async function meetRepeat(deps: Rotating, key: { tenant: string; hash: Uint8Array }): Promise<{ keyVersion: number } | 'reused' | 'gone'> {
  const { tenant } = key
  const record = { ...key, kind: 'RefreshToken' } as const
  const find = async (db: Deps['db']) => await findRecord(db, { ...record, now: new Date(deps.now()) })
  const before = await find(deps.db)
  // Nobody can be told the successor while its key does not open: that is our fault and no theft.
  if (before && before.key_version !== null) await deps.keys.refreshKey(tenant, before.key_version)
  const grantId = before?.grant_id ?? undefined
  if (grantId === undefined) return 'gone'
  const met = await transact(deps.db, async (tx) => {
    await lockGrant(tx, { tenant, id: grantId })
    const row = await find(tx)
    if (row === undefined || row.consume_time === null || row.key_version === null) return 'gone'
    if (isHarmless(deps, row)) return { keyVersion: row.key_version }
    const [grant] = await endGrants(tx, deps, { tenant, ids: [grantId] }, { cause: 'token_reused', by: stranger })
    if (grant === undefined) return 'gone'
    await audit(tx, {
      tenant,
      kind: 'refresh_token_reuse',
      result: 'refused',
      reason: 'invalid_grant',
      actor: stranger,
      subjectId: grant.user_id,
      sessionId: grant.session_id,
      details: { client: grant.client_id, grant: grantId },
    })
    return 'reused'
  })
  if (met === 'reused') {
    deps.committed()
    deps.log.warn({ tenant, grant: grantId }, 'a used-up refresh token of a client came back: the grant has ended')
  }
  return met
}
