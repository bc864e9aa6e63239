import { create } from '@bufbuild/protobuf'
import { PasskeyClonedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { nextFactorVersion } from '../../store/factors.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'
import { tellSuspicion } from '../suspicion/tell-suspicion.ts'

/** Whoever has a copy could tell its owner as often as they like: each passkey is told of once a day, the audit log and the log say the rest. */
const tellings = { count: 1, windowSeconds: 86_400 }

type TellDeps = Pick<Deps, 'db' | 'limits' | 'log' | 'now' | 'committed'>

/**
 * A passkey that counts backwards was copied, or its owner's answers came in another order than they were made: the owner is told either way, and asked by mail once a day,
 * whichever passkey it is. Told in a transaction of its own: what the passkey answered is refused, and a sign-in that goes on with another proof has nothing to do with it.
 */
export async function tellCloned(deps: TellDeps, passkey: PasskeyRow): Promise<void> {
  const { tenant, id, user_id: userId } = passkey
  deps.log.warn({ tenant, person: userId, passkey: id }, 'a passkey counts backwards')
  concerning(userId, { passkey: id, counts: 'backwards' })
  const key = `passkey cloned ${id}`
  const { allowed } = await deps.limits.take([{ key, tenant, ...tellings }])
  try {
    const told = await transact(deps.db, async (tx) => {
      if (allowed) {
        const version = await nextFactorVersion(tx, { tenant, userId })
        const message = create(PasskeyClonedSchema, { userId, version: BigInt(version), passkeyId: id })
        await addEvent(tx, { schema: PasskeyClonedSchema, message, tenant, version })
      }
      // Of a time of its own: a lock-down forgets what was told, and the next one is told again.
      return (await tellSuspicion(tx, deps, { tenant, kinds: ['passkey_cloned'], userId, mail: true })) || allowed
    })
    if (told) deps.committed()
  } catch (error) {
    // What was not told does not count.
    if (allowed) await deps.limits.reset(key, tenant)
    throw error
  }
}
