import { create } from '@bufbuild/protobuf'
import { FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { findFactors, type HeldFactors, nextFactorVersion } from '../../store/factors.ts'
import { deleteRecoveryCodes } from '../../store/recovery-codes.ts'
import { holdSessionEpoch, nextSessionEpoch } from '../../store/session-epochs.ts'
import { type Actor, thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { policyOf, type WholePolicy } from '../policies/policy-of.ts'
import { assertStrongSession, type OwnSession } from './assert-strong-enough.ts'
import { neededOf } from './held-factors.ts'

/** Whose factors, and the session that changes them. */
export type FactorOwner = OwnSession

/** What happened; told by the event. */
export type FactorChange =
  | 'passkey_added'
  | 'passkey_removed'
  | 'totp_added'
  | 'totp_removed'
  | 'recovery_codes_made'
  | 'recovery_code_used'
  | 'recovery_codes_removed'

/** The same of a sign-in elsewhere: it is linked and taken away on its own terms, and people are told of it as of a factor. */
export type LinkChange = 'identity_linked' | 'identity_unlinked'

/**
 * Changes a person's factors in one transaction: changes of one person pass one after the other. The door saw a token that may be ten minutes
 * old; whether the session goes on, and is as strong as the factors that the tenant takes are by now, is asked of the session itself.
 */
export async function changeFactors<Result>(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'committed'>,
  owner: FactorOwner,
  change: (tx: Db, held: HeldFactors, policy: WholePolicy) => Promise<{ readonly result: Result; readonly changed?: FactorChange }>,
): Promise<Result> {
  const policy = await policyOf(deps, owner.tenant)
  const result = await transact(deps.db, async (tx) => {
    // Whatever ends all sessions, a deletion for one, is over or waits: a session that lives is a person who may.
    await holdSessionEpoch(tx, owner)
    const version = await nextFactorVersion(tx, owner)
    const held = await assertStrongSession(tx, policy, owner)
    const done = await change(tx, held, policy)
    if (done.changed !== undefined) {
      await tellChange(tx, owner, { version, change: done.changed })
      // A sign-in that is under way saw other factors, or none, and must not open a session by them.
      await nextSessionEpoch(tx, owner)
    }
    const left = await findFactors(tx, owner)
    // Recovery codes stand for a second factor; without one they would be a second password. One that the tenant does not take today is one.
    if (neededOf(left) < neededOf(held)) await deleteRecoveryCodes(tx, owner)
    return done.result
  })
  deps.committed()
  return result
}

/** Tells that a factor was used or changed, within the caller's transaction. */
export async function tellChange(
  tx: Db,
  owner: { tenant: string; userId: string },
  told: { version: number; change: FactorChange; by?: Actor },
): Promise<void> {
  const { tenant, userId } = owner
  await addFactorsChanged(tx, owner, told)
  await audit(tx, { tenant, actor: told.by ?? thePerson(userId), subjectId: userId, ...actOf(told.change) })
}

/** Has the person told. */
export async function addFactorsChanged(
  tx: Db,
  { tenant, userId }: { tenant: string; userId: string },
  { version, change }: { version: number; change: FactorChange | LinkChange },
): Promise<void> {
  const message = create(FactorsChangedSchema, { userId, version: BigInt(version), change })
  await addEvent(tx, { schema: FactorsChangedSchema, message, tenant, version })
}

/** `totp_added` -> `factor_add` of a `totp`. */
function actOf(change: FactorChange): { kind: string; details?: Record<string, string> } {
  if (change === 'recovery_codes_made') return { kind: 'recovery_codes_make' }
  if (change === 'recovery_code_used') return { kind: 'recovery_code_use' }
  if (change === 'recovery_codes_removed') return { kind: 'factor_remove', details: { factor: 'recovery_codes' } }
  const [factor = '', done] = change.split('_')
  return { kind: done === 'added' ? 'factor_add' : 'factor_remove', details: { factor } }
}
