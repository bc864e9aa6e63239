import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { nameOfStrength } from '@gatehouse/identity'
import { commonRefusal } from '@gatehouse/rpc'
import type { HeldFactors } from '../../store/factors.ts'
import { neededOf } from './held-factors.ts'

/**
 * Whoever has a second factor changes factors in a session that showed one (NIST SP 800-63B-4, 4.1.2): a session from before that day, which somebody
 * else may hold, is no way around it. How strong is enough depends on the person, so the contract cannot say it.
 */
export function assertStrongEnough(strength: number, held: HeldFactors): void {
  const needed = neededOf(held)
  if (strength < needed) throw commonRefusal(ErrorReason.STEP_UP_REQUIRED, { strength: nameOfStrength(needed) })
}
