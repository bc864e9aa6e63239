import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { nameOfStrength, strengthOf } from '@gatehouse/identity'
import { commonRefusal } from '@gatehouse/rpc'
import { findFactors, type HeldFactors } from '../../store/factors.ts'
import { findSession } from '../../store/sessions.ts'
import type { Db } from '../deps.ts'
import { allowedOf } from '../policies/allowed-factors.ts'
import type { WholePolicy } from '../policies/policy-of.ts'
import { neededOf } from './held-factors.ts'

/**
 * Whoever has a second factor changes factors in a session that showed one (NIST SP 800-63B-4, 4.1.2): a session from before that day, which somebody
 * else may hold, is no way around it. How strong is enough depends on the person, so the contract cannot say it.
 */
export function assertStrongEnough(strength: number, held: HeldFactors): void {
  const needed = neededOf(held)
  if (strength < needed) throw commonRefusal(ErrorReason.STEP_UP_REQUIRED, { strength: nameOfStrength(needed) })
}

/** The session that changes something about how its person signs in. */
export interface OwnSession {
  readonly tenant: string
  readonly userId: string
  readonly sessionId: string
}

/** The same, asked of the session itself, for the door saw a token that may be ten minutes old; and by the factors that the tenant takes. Answers all that the person has. */
export async function assertStrongSession(db: Db, policy: WholePolicy, { tenant, userId, sessionId }: OwnSession): Promise<HeldFactors> {
  const session = await findSession(db, { tenant, id: sessionId })
  if (!session || session.end_time !== null) throw commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID)
  const held = await findFactors(db, { tenant, userId })
  assertStrongEnough(strengthOf(session.amr), allowedOf(policy, held))
  return held
}
