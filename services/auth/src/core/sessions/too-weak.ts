import { Strength, strengthOf, trustedDeviceMethod } from '@gatehouse/identity'
import { findFactors } from '../../store/factors.ts'
import type { SessionRow } from '../../store/sessions.ts'
import type { Deps } from '../deps.ts'
import { demandOf, isSecondRequired } from '../policies/demands.ts'
import type { WholePolicy } from '../policies/policy-of.ts'
import { standsSince } from './trusted-device.ts'

/** A session from before the tenant asked this person for a second factor, or gave up trusted devices: it goes on with a new sign-in only. */
export async function isTooWeak(
  deps: Pick<Deps, 'db' | 'batches'>,
  session: Pick<SessionRow, 'tenant' | 'user_id' | 'amr' | 'auth_time'>,
  policy: WholePolicy,
): Promise<boolean> {
  if (strengthOf(session.amr) >= Strength.TWO_FACTORS) return false
  const person = { tenant: session.tenant, userId: session.user_id }
  const isTrusted = session.amr.includes(trustedDeviceMethod)
  if (isTrusted && !standsSince(policy, session.auth_time.getTime())) return true
  if (!(await isSecondRequired(deps, person, policy))) return false
  // The factor was shown on this device, and stands for as long as the person has one that the tenant takes.
  return !isTrusted || demandOf({ policy, isSecondRequired: true }, await findFactors(deps.db, person)).enrol.length > 0
}
