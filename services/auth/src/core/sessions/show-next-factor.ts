import type { FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { strengthOf } from '@gatehouse/identity'
import { findFactors, type HeldFactors } from '../../store/factors.ts'
import { claimPendingSignIn, type PendingSignInRow } from '../../store/pending-sign-ins.ts'
import { holdSessionEpoch } from '../../store/session-epochs.ts'
import type { Db, Deps } from '../deps.ts'
import { factorOfProof, factorsToward } from '../factors/held-factors.ts'
import { checkFactor, type ShownFactor } from '../factors/shown-factor.ts'
import { allowedOf } from '../policies/allowed-factors.ts'
import type { WholePolicy } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Where a half-finished sign-in stands after one more factor. */
export interface Advanced {
  readonly methods: readonly string[]
  readonly held: HeldFactors
  readonly reached: boolean
}

/** Checks the factor that somebody shows to go on; what makes something of it runs {@link advance} in its transaction. */
export async function showNextFactor(
  deps: Deps,
  policy: WholePolicy,
  pending: PendingSignInRow,
  proof: FactorProof['proof'],
  signal?: AbortSignal,
): Promise<ShownFactor> {
  const { tenant, user_id: userId, passkey_challenge: passkeyChallenge } = pending
  const held = allowedOf(policy, await findFactors(deps.db, { tenant, userId }))
  const asked = factorsToward(pending.strength, pending.methods, held)
  // What was not asked for is not looked at: a factor shown twice is one factor.
  if (!asked.includes(factorOfProof(proof))) throw refuse(ErrorReason.FACTOR_WRONG)
  const shown = await checkFactor(deps, { tenant, userId, passkeyChallenge, ...(signal && { signal }) }, proof)
  if (shown === undefined) throw refuse(ErrorReason.FACTOR_WRONG)
  return shown
}

/** Uses continuation and factor up, within the caller's transaction. With all sessions of the person ended meanwhile there is nothing to go on with. */
export async function advance(tx: Db, policy: WholePolicy, pending: PendingSignInRow, shown: ShownFactor): Promise<Advanced> {
  const { tenant, user_id: userId } = pending
  if (!(await claimPendingSignIn(tx, { tenant, tokenHash: pending.token_hash }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
  if ((await holdSessionEpoch(tx, { tenant, userId })) !== pending.epoch) throw refuse(ErrorReason.CONTINUATION_INVALID)
  if (!(await shown.use(tx))) throw refuse(ErrorReason.FACTOR_WRONG)
  const methods = [...new Set([...pending.methods, ...shown.methods])]
  const held = allowedOf(policy, await findFactors(tx, { tenant, userId }))
  return { methods, held, reached: strengthOf(methods) >= pending.strength }
}
