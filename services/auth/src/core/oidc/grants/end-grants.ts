import { create } from '@bufbuild/protobuf'
import { GrantChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { type GrantRow, type GrantsToEnd, endGrants as writeEnds } from '../../../store/oidc/grants.ts'
import { forgetGrantIds } from '../../../store/oidc/session-clients.ts'
import { insertRevocations } from '../../../store/revocations.ts'
import type { Actor } from '../../audit/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Db, Deps } from '../../deps.ts'
import { forgetTime } from '../../sessions/revoke-sessions.ts'
import type { GrantEndCause } from '../oidc-parts.ts'

export interface GrantEnd {
  readonly cause: GrantEndCause
  /** Who ends them, where it is not the caller of the call. */
  readonly by?: Actor
}

/**
 * Ends grants within the caller's transaction and tells everybody: whatever was given under them is found no more, and verifiers of JWTs hear of it as they hear of sessions. Answers those that it ended.
 */
export async function endGrants(
  tx: Db,
  deps: Pick<Deps, 'now' | 'lifetimes'>,
  which: GrantsToEnd,
  { cause, by }: GrantEnd,
): Promise<GrantRow[]> {
  const time = new Date(deps.now())
  const ended = await writeEnds(tx, which, { time, cause })
  if (ended.length === 0) return ended
  const ids = ended.map(({ id }) => id)
  await forgetGrantIds(tx, which.tenant, ids)
  await insertRevocations(
    tx,
    ended.map(({ tenant, id }) => ({ tenant, session_id: id, forget_time: forgetTime(deps, { end_time: time }) })),
  )
  for (const grant of ended) await tellGrant(tx, grant, 'ended')
  await audit(
    tx,
    ...ended.map((grant) => ({
      tenant: grant.tenant,
      kind: 'grant_end',
      subjectId: grant.user_id,
      sessionId: grant.session_id,
      details: { grant: grant.id, client: grant.client_id, cause },
      ...(by && { actor: by }),
    })),
  )
  return ended
}

/** Tells of a grant as it is after the change. */
export async function tellGrant(tx: Db, grant: Pick<GrantRow, 'tenant' | 'id' | 'version' | 'user_id' | 'client_id'>, change: string) {
  const { tenant, id: grantId, version, user_id: userId, client_id: clientId } = grant
  const message = create(GrantChangedSchema, { grantId, version: BigInt(version), userId, clientId, change })
  await addEvent(tx, { schema: GrantChangedSchema, message, tenant, version })
}
