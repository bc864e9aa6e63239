import { create } from '@bufbuild/protobuf'
import { PasskeyClonedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { nextFactorVersion } from '../../store/factors.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'

/** Whoever has a copy could tell its owner as often as they like: each passkey is told of once a day, the audit log and the log say the rest. */
const tellings = { count: 1, windowSeconds: 86_400 }

/** A passkey that counts backwards was copied, or its owner's answers came in another order than they were made: the owner is told either way. */
export async function tellCloned(deps: Pick<Deps, 'db' | 'limits' | 'log' | 'committed'>, passkey: PasskeyRow): Promise<void> {
  const { tenant, id, user_id: userId } = passkey
  deps.log.warn({ tenant, person: userId, passkey: id }, 'a passkey counts backwards')
  concerning(userId, { passkey: id, counts: 'backwards' })
  const key = `passkey cloned ${id}`
  if (!(await deps.limits.take([{ key, tenant, ...tellings }])).allowed) return
  try {
    await transact(deps.db, async (tx) => {
      const version = await nextFactorVersion(tx, { tenant, userId })
      const message = create(PasskeyClonedSchema, { userId, version: BigInt(version), passkeyId: id })
      await addEvent(tx, { schema: PasskeyClonedSchema, message, tenant, version })
    })
  } catch (error) {
    // What was not told does not count.
    await deps.limits.reset(key, tenant)
    throw error
  }
  deps.committed()
}
