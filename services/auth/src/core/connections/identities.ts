import { create } from '@bufbuild/protobuf'
import { IdentityLinkedSchema, IdentityUnlinkedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import {
  deleteIdentitiesSince,
  deleteIdentity,
  type LinkedIdentityRow,
  listIdentitiesOf,
} from '../../store/connections/linked-identities.ts'
import { nextFactorVersion } from '../../store/factors.ts'
import { holdSessionEpoch } from '../../store/session-epochs.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { assertStrongSession, type OwnSession } from '../factors/assert-strong-enough.ts'
import { addFactorsChanged } from '../factors/change-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { connectionsOf } from './known-connections.ts'

/** A link with the name of its connection; that of one that is disabled is its id. */
export interface ShownIdentity {
  readonly row: LinkedIdentityRow
  readonly connectionName: string
}

export async function showIdentity(deps: Pick<Deps, 'db'>, row: LinkedIdentityRow): Promise<ShownIdentity> {
  const { all } = await connectionsOf(deps, row.tenant)
  return { row, connectionName: all.find((each) => each.connection_id === row.connection_id)?.name ?? row.connection_id }
}

export async function listIdentities(deps: Pick<Deps, 'db'>, person: { tenant: string; userId: string }): Promise<ShownIdentity[]> {
  return await Promise.all((await listIdentitiesOf(deps.db, person)).map((row) => showIdentity(deps, row)))
}

/** Takes a link away. The same again changes nothing. */
export async function unlinkIdentity(deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'committed'>, owner: OwnSession, id: string) {
  const policy = await policyOf(deps, owner.tenant)
  const unlinked = await transact(deps.db, async (tx) => {
    await holdSessionEpoch(tx, owner)
    await assertStrongSession(tx, policy, owner)
    const row = await deleteIdentity(tx, { ...owner, id })
    if (row !== undefined) {
      await tellUnlinked(tx, row, 'person')
      await addFactorsChanged(tx, owner, { version: await nextFactorVersion(tx, owner), change: 'identity_unlinked' })
    }
    return row
  })
  if (unlinked !== undefined) deps.committed()
}

/** What somebody else may have linked goes, within the caller's transaction: it would let them in again. */
export async function unlinkSince(tx: Db, person: { tenant: string; userId: string; since: Date }): Promise<void> {
  for (const row of await deleteIdentitiesSince(tx, person)) await tellUnlinked(tx, row, 'lock_down')
}

/** Tells that somebody can sign in by who they are elsewhere, in the transaction that made it so. */
export async function tellLinked(tx: Db, row: LinkedIdentityRow): Promise<void> {
  const { tenant, id: identityId, user_id: userId, connection_id: connectionId } = row
  const message = create(IdentityLinkedSchema, { identityId, version: 1n, userId, connectionId })
  await addEvent(tx, { schema: IdentityLinkedSchema, message, tenant, version: 1 })
  const details = { connection: connectionId, identity: identityId, by: row.made_account ? 'sign_in' : 'person' }
  await audit(tx, { tenant, kind: 'identity_link', actor: thePerson(userId), subjectId: userId, details })
}

async function tellUnlinked(tx: Db, row: LinkedIdentityRow, by: string): Promise<void> {
  const { tenant, id: identityId, user_id: userId, connection_id: connectionId } = row
  const message = create(IdentityUnlinkedSchema, { identityId, version: 2n, userId, connectionId })
  await addEvent(tx, { schema: IdentityUnlinkedSchema, message, tenant, version: 2 })
  const details = { connection: connectionId, identity: identityId, by }
  await audit(tx, { tenant, kind: 'identity_unlink', actor: thePerson(userId), subjectId: userId, details })
}
