import { transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import {
  deleteUnlinked,
  findIdentity,
  insertIdentity,
  type LinkedIdentityRow,
  listIdentitiesOf,
  markLinked,
} from '../../store/connections/linked-identities.ts'
import { nextFactorVersion } from '../../store/factors.ts'
import { holdSessionEpoch } from '../../store/session-epochs.ts'
import { assertStrongSession, type OwnSession } from '../factors/assert-strong-enough.ts'
import { addFactorsChanged } from '../factors/change-factors.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type ShownIdentity, showIdentity, tellLinked } from './identities.ts'
import { beginAtConnection, type ConnectionDeps, type RedeemInput, redeem } from './redeem.ts'

const mostIdentities = 20

/** Begins a link, for this session alone. */
export async function beginLink(deps: ConnectionDeps, owner: OwnSession, input: { connectionId: string; browser: string }) {
  await requireProvenMailbox(deps, owner)
  return await beginAtConnection(deps, { ...owner, ...input, email: '' })
}

/** Links whoever came back to the account whose session asked for it, where both sides say that the mailbox is proven. */
export async function completeLink(
  deps: ConnectionDeps,
  owner: OwnSession,
  input: Omit<RedeemInput, 'tenant' | 'userId' | 'sessionId'>,
): Promise<ShownIdentity> {
  const { tenant, userId } = owner
  const { connection, assertion } = await redeem(deps, { ...input, ...owner })
  if (!assertion.emailVerified) throw refuse(ErrorReason.LINK_NEEDS_PROOF, { side: 'there' })
  await requireProvenMailbox(deps, owner)
  const policy = await policyOf(deps, tenant)
  const subject = { tenant, issuer: assertion.issuer, subject: assertion.subject }
  const linked = await transact(deps.db, async (tx): Promise<LinkedIdentityRow> => {
    // The door saw a token that may be ten minutes old: whether the session goes on, and is as strong as it has to be, is asked of the session itself.
    await holdSessionEpoch(tx, owner)
    await assertStrongSession(tx, policy, owner)
    const there = await findIdentity(tx, subject)
    // An account that was never made holds nobody's place.
    if (there?.link_time === null) await deleteUnlinked(tx, subject, there.user_id)
    else if (there !== undefined && there.user_id !== userId) throw refuse(ErrorReason.IDENTITY_LINKED_ELSEWHERE)
    else if (there !== undefined) return there
    if ((await listIdentitiesOf(tx, owner)).length >= mostIdentities)
      throw refuse(ErrorReason.IDENTITIES_EXHAUSTED, { max: String(mostIdentities) })
    const time = new Date(deps.now())
    const { connection_id } = connection
    const row = { ...subject, id: uuidv7(), user_id: userId, connection_id, email: assertion.email, made_account: false, create_time: time }
    const inserted = await insertIdentity(tx, row)
    if (inserted.id !== row.id || !(await markLinked(tx, subject, userId, time))) throw refuse(ErrorReason.IDENTITY_LINKED_ELSEWHERE)
    await tellLinked(tx, inserted)
    await addFactorsChanged(tx, owner, { version: await nextFactorVersion(tx, owner), change: 'identity_linked' })
    return { ...inserted, link_time: time }
  })
  deps.committed()
  deps.log.info({ tenant, person: userId, connection: connection.connection_id }, 'an identity was linked')
  return await showIdentity(deps, linked)
}

async function requireProvenMailbox(deps: ConnectionDeps, { tenant, userId }: OwnSession): Promise<void> {
  const user = await resolveActivePerson(deps, { tenant, userId })
  if (user === undefined) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  if (!user.emailVerified) throw refuse(ErrorReason.LINK_NEEDS_PROOF, { side: 'here' })
}
