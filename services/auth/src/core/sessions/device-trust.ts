import { transact } from '@gatehouse/postgres'
import { nextSessionEpoch } from '../../store/session-epochs.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { policyOf } from '../policies/policy-of.ts'
import { trustedDevice } from './trusted-device.ts'

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Until when the person trusts the device of the call, as the policy is now. */
export async function deviceTrustOf(
  deps: Pick<Deps, 'batches' | 'challengeKeys' | 'lifetimes' | 'now'>,
  { tenant, userId }: Person,
  presented: string,
): Promise<{ trustedUntil?: Date; trustDays: number }> {
  const [policy, credential] = await Promise.all([policyOf(deps, tenant), deps.batches.credential({ tenant, id: userId })])
  const { trustedDeviceDays: trustDays } = policy
  if (credential === undefined) return { trustDays }
  const { version: credentialVersion, factor_version: factorVersion, epoch } = credential
  const device = trustedDevice(deps, { tenant, userId, credentialVersion, factorVersion, epoch }, presented, policy)
  return device ? { trustedUntil: new Date((device.seconds + trustDays * 86_400) * 1000), trustDays } : { trustDays }
}

/** Forgets every device that the person trusts. With the epoch a sign-in that is under way on one of them opens nothing any more. */
export async function forgetTrustedDevices(deps: Pick<Deps, 'db'>, { tenant, userId }: Person): Promise<void> {
  await transact(deps.db, async (tx) => {
    await nextSessionEpoch(tx, { tenant, userId })
    await audit(tx, { tenant, kind: 'devices_forget', subjectId: userId })
  })
}
