import { transact } from '@gatehouse/postgres'
import { currentCall } from '@gatehouse/rpc'
import { deleteFactorsSince, type EnrolledFactorRow } from '../../store/enrolled-factors.ts'
import { findFactors, nextFactorVersion } from '../../store/factors.ts'
import { deleteRecoveryCodes } from '../../store/recovery-codes.ts'
import { holdSessionEpoch } from '../../store/session-epochs.ts'
import { assertHoldsAllOf } from '../access/assert-holds.ts'
import type { Granter } from '../access/change-access.ts'
import { currentActor } from '../audit/actor.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'
import { type FactorChange, tellChange } from './change-factors.ts'
import { neededOf } from './held-factors.ts'

export interface FactorsToRemove {
  readonly tenant: string
  readonly userId: string
  /** What was there before stays. */
  readonly since: Date
  readonly by: Granter
}

const changes = { passkey: 'passkey_removed', totp: 'totp_removed', recovery_codes: 'recovery_codes_removed' } as const satisfies Record<
  EnrolledFactorRow['factor'],
  FactorChange
>

/**
 * Takes away what was added to somebody's account since a time, for whoever is locked out by it or has lost it: no mail may do that, since whoever reads the mailbox would be in by it
 * alone. Whoever asks vouches for the person. Each kind is told, and mailed, once, however many there were.
 */
export async function removeFactorsOf(
  deps: Pick<Deps, 'db' | 'now' | 'log' | 'committed'>,
  { tenant, userId, since, by }: FactorsToRemove,
): Promise<EnrolledFactorRow[]> {
  concerning(userId)
  const person = { tenant, userId }
  const removed = await transact(deps.db, async (tx) => {
    await assertHoldsAllOf({ tx, tenant }, by, userId, deps.now())
    // In the order in which people change factors themselves.
    await holdSessionEpoch(tx, person)
    let version = await nextFactorVersion(tx, person)
    const before = await findFactors(tx, person)
    const gone = await deleteFactorsSince(tx, { ...person, since })
    // Recovery codes stand for a second factor; without one they would be a second password.
    if (neededOf(await findFactors(tx, person)) < neededOf(before)) await deleteRecoveryCodes(tx, person)
    const kinds = new Set(gone.map(({ factor }) => factor))
    for (const [at, factor] of [...kinds].entries()) {
      if (at > 0) version = await nextFactorVersion(tx, person)
      await tellChange(tx, person, { version, change: changes[factor], by: currentActor(currentCall()) })
    }
    return gone
  })
  if (removed.length > 0) deps.committed()
  deps.log.info({ tenant, person: userId, removed: removed.length }, 'factors removed by an administrator')
  return removed
}
