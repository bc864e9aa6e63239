import { create } from '@bufbuild/protobuf'
import { PasskeyClonedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { nextFactorVersion } from '../../store/factors.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'

/** A passkey that counts backwards was copied, or its owner's answers came in another order than they were made: the owner is told either way. */
export async function tellCloned(deps: Pick<Deps, 'db' | 'log' | 'committed'>, passkey: PasskeyRow): Promise<void> {
  const { tenant, id, user_id: userId } = passkey
  deps.log.warn({ tenant, person: userId, passkey: id }, 'a passkey counts backwards')
  await transact(deps.db, async (tx) => {
    const version = await nextFactorVersion(tx, { tenant, userId })
    const message = create(PasskeyClonedSchema, { userId, version: BigInt(version), passkeyId: id })
    await addEvent(tx, { schema: PasskeyClonedSchema, message, tenant, version })
  })
  deps.committed()
}
