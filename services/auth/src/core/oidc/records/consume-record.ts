import { transact } from '@gatehouse/postgres'
import { findConsumed, consumeRecord as useUp } from '../../../store/oidc/single-use.ts'
import { stranger } from '../../audit/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { endGrants } from '../grants/end-grants.ts'
import type { Consumed, RecordKind } from '../oidc-parts.ts'
import { keyOfRecord } from './record-hash.ts'

/**
 * Uses a code up. Two hold one that comes again, and nobody can tell who stole it: what it was good for ends for both (RFC 6749, 4.1.2), also where they came at once. The one who was first
 * may save tokens afterwards: under an ended grant nothing is found.
 */
export async function consumeRecord(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'challengeKeys' | 'committed'>,
  { tenant, kind, id }: { tenant: string; kind: RecordKind; id: string },
): Promise<Consumed> {
  const key = { tenant, kind, hash: keyOfRecord(deps, tenant, id) }
  if (await useUp(deps.db, key, new Date(deps.now()))) return 'consumed'
  const used = await findConsumed(deps.db, key)
  if (used === undefined) return 'gone'
  const grantId = used.grant_id
  if (grantId === null) return 'replayed'
  const ended = await transact(deps.db, async (tx) => {
    const grants = await endGrants(tx, deps, { tenant, ids: [grantId] }, { cause: 'code_replayed', by: stranger })
    const [grant] = grants
    if (grant === undefined) return false
    await audit(tx, {
      tenant,
      kind: 'code_replay',
      result: 'refused',
      reason: 'invalid_grant',
      actor: stranger,
      subjectId: grant.user_id,
      sessionId: grant.session_id,
      details: { client: grant.client_id, grant: grantId },
    })
    return true
  })
  if (ended) deps.committed()
  return 'replayed'
}
