import { create } from '@bufbuild/protobuf'
import { FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { Strength } from '@gatehouse/identity'
import { type HeldFactors, nextFactorVersion } from '../../store/factors.ts'
import { nextSessionEpoch } from '../../store/session-epochs.ts'
import type { Db } from '../deps.ts'
import { neededOf } from './held-factors.ts'

/** What can happen to a person's factors, as the event says it. */
export type FactorChange = 'passkey_added' | 'passkey_removed'

/**
 * Begins to change a person's factors within the caller's transaction: until it ends, nobody else does. `end` tells what was done; with the first second
 * factor, a sign-in that is under way and saw none does not open a session any more.
 */
export async function beginFactorChange(
  tx: Db,
  person: { tenant: string; userId: string },
): Promise<{ end(change: FactorChange, before: HeldFactors): Promise<void> }> {
  const version = await nextFactorVersion(tx, person)
  return {
    async end(change, before) {
      if (change.endsWith('_added') && neededOf(before) === Strength.ONE_FACTOR) await nextSessionEpoch(tx, person)
      const message = create(FactorsChangedSchema, { userId: person.userId, version: BigInt(version), change })
      await addEvent(tx, { schema: FactorsChangedSchema, message, tenant: person.tenant, version })
    },
  }
}
