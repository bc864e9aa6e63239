import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { holdSessionEpoch, readSessionEpoch } from '../../store/session-epochs.ts'
import type { Db, Deps } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { openChallenge } from './open-challenge.ts'

/** Somebody who was invited when the user service was asked. */
export interface Invited {
  readonly tenant: string
  readonly userId: string
  /** From before the question. */
  readonly epoch: number
}

/** Asks whether the invitation still stands: undefined where the person is gone, or has come by now. Never call it with a transaction open. */
export async function findInvited(
  deps: Pick<Deps, 'db' | 'users' | 'batches'>,
  key: { tenant: string; userId: string },
): Promise<Invited | undefined> {
  const epoch = await readSessionEpoch(deps.db, key)
  const person = await resolvePerson(deps, { tenant: key.tenant, by: { case: 'id', value: key.userId } })
  return person?.state === User_State.INVITED ? { ...key, epoch } : undefined
}

/**
 * Opens the challenge of an invitation within the caller's transaction. Address and name are the person's when the mail is rendered. Whoever deletes the
 * person raises the epoch: `changed` where that was done since the question; whoever does it from here on waits for this transaction, and finds what it wrote.
 */
export async function invitePerson(tx: Db, deps: Pick<Deps, 'now'>, { tenant, userId, epoch }: Invited): Promise<'invited' | 'changed'> {
  if ((await holdSessionEpoch(tx, { tenant, userId })) !== epoch) return 'changed'
  await openChallenge(tx, { tenant, userId, kind: 'invitation', time: new Date(deps.now()) })
  return 'invited'
}
