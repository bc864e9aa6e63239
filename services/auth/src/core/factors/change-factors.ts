import { create } from '@bufbuild/protobuf'
import { FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { addEvent } from '@gatehouse/events'
import { nameOfStrength, type Strength, strengthOf } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { commonRefusal } from '@gatehouse/rpc'
import { findFactors, type HeldFactors, nextFactorVersion } from '../../store/factors.ts'
import { nextSessionEpoch } from '../../store/session-epochs.ts'
import { findSession } from '../../store/sessions.ts'
import type { Db, Deps } from '../deps.ts'
import { allowedOf } from '../policies/allowed-factors.ts'
import { policyOf, type WholePolicy } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { neededOf } from './held-factors.ts'

/** Whose factors, and the session that changes them. */
export interface FactorOwner {
  readonly tenant: string
  readonly userId: string
  readonly sessionId: string
}

/** What happened; told by the event. */
export type FactorChange =
  | 'passkey_added'
  | 'passkey_removed'
  | 'totp_added'
  | 'totp_removed'
  | 'recovery_codes_made'
  | 'recovery_code_used'

/**
 * Changes a person's factors in one transaction: changes of one person pass one after the other. The door saw a token that may be ten minutes
 * old; whether the sign-in is as strong as the factors are by now is asked of the session itself (NIST SP 800-63B-4, 4.1.3).
 */
export async function changeFactors<Result>(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'committed'>,
  owner: FactorOwner,
  change: (tx: Db, held: HeldFactors, policy: WholePolicy) => Promise<{ readonly result: Result; readonly changed?: FactorChange }>,
): Promise<Result> {
  const policy = await policyOf(deps, owner.tenant)
  const result = await transact(deps.db, async (tx) => {
    const version = await nextFactorVersion(tx, owner)
    const held = await findFactors(tx, owner)
    const needed = neededOf(allowedOf(policy, held))
    await refuseWeakSession(tx, owner, needed)
    const done = await change(tx, held, policy)
    if (done.changed !== undefined) await tellChange(tx, owner, { version, change: done.changed })
    const isSecond = needed < neededOf(allowedOf(policy, await findFactors(tx, owner)))
    // A sign-in that is under way saw no second factor and must not open a session without it.
    if (isSecond) await nextSessionEpoch(tx, owner)
    return done.result
  })
  deps.committed()
  return result
}

/** Tells that a factor was used or changed, within the caller's transaction. */
export async function tellChange(
  tx: Db,
  owner: { tenant: string; userId: string },
  told: { version: number; change: FactorChange },
): Promise<void> {
  const { tenant, userId } = owner
  const message = create(FactorsChangedSchema, { userId, version: BigInt(told.version), change: told.change })
  await addEvent(tx, { schema: FactorsChangedSchema, message, tenant, version: told.version })
}

async function refuseWeakSession(tx: Db, owner: FactorOwner, needed: Strength): Promise<void> {
  const session = await findSession(tx, { tenant: owner.tenant, id: owner.sessionId })
  if (!session || session.end_time !== null) throw refuse(ErrorReason.SESSION_NOT_FOUND)
  if (strengthOf(session.amr) < needed) throw commonRefusal(CommonReason.STEP_UP_REQUIRED, { strength: nameOfStrength(needed) })
}
