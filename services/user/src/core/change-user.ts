import { create, type Message, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import type { GenMessage } from '@bufbuild/protobuf/codegenv2'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { addEvent, type NewEvent } from '@gatehouse/events'
import { type Db, transact } from '@gatehouse/postgres'
import { currentCall, nameOfCaller } from '@gatehouse/rpc'
import { addPendingRevocation, spareLaterSessions } from '../store/pending-revocations.ts'
import type { Schema, UserState } from '../store/schema.ts'
import { lockUser, type UserChanges, type UserKey, type UserRow, updateUser } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { refuse } from './refuse.ts'

/** Tells a fact about a person, in the transaction that made it one. */
export type Tell = (tx: Db<Schema>, user: UserRow) => Promise<unknown>

export type Change = {
  readonly set: UserChanges
  readonly tell: Tell
  /** The person's sessions have to end. */
  readonly endSessions?: boolean
  /** Should they still have to end, those that come later stay. */
  readonly spareLaterSessions?: boolean
}

/**
 * Changes one person: the row, its event and what has to follow, all or nothing. `decide` sees the person locked, so that
 * no rival's change is lost, and answers undefined when there is nothing to change: then there is no new version and no event.
 */
export async function changeUser(deps: Deps, key: UserKey, decide: (user: UserRow) => Change | undefined): Promise<UserRow> {
  const { user, changed } = await transact(deps.db, async (tx) => {
    const before = await lockUser(tx, key)
    if (!before) throw refuse(ErrorReason.USER_NOT_FOUND)
    const change = decide(before)
    if (!change) return { user: before, changed: false }
    const after = await updateUser(tx, key, change.set)
    if (after === 'email_taken') throw refuse(ErrorReason.EMAIL_TAKEN)
    await change.tell(tx, after)
    if (change.endSessions) await addPendingRevocation(tx, { tenant: after.tenant, user_id: after.id, version: after.version })
    if (change.spareLaterSessions) await spareLaterSessions(tx, { tenant: after.tenant, user_id: after.id })
    return { user: after, changed: true }
  })
  if (changed) deps.committed()
  return user
}

/** Refuses unless the person stands where the change begins. */
export function requireState(user: UserRow, ...allowed: UserState[]): void {
  if (!allowed.includes(user.state)) throw refuse(ErrorReason.USER_STATE, { state: user.state.toUpperCase() })
}

type Fact = Message & { userId: string; version: bigint }

type More<F extends Fact> = Omit<MessageInitShape<GenMessage<F>>, 'userId' | 'version' | 'actor'>

/** An event about a person that carries the id, the version and `more`; where its contract asks who did it, the caller of the call. */
export function eventAbout<F extends Fact>(
  { tenant, id, version }: UserKey & Pick<UserRow, 'version'>,
  schema: GenMessage<F>,
  more?: More<F>,
): NewEvent<GenMessage<F>> {
  const call = 'actor' in schema.field ? currentCall() : undefined
  const fact = { ...more, userId: id, version, ...(call && { actor: nameOfCaller(call.caller) }) }
  const message: MessageShape<GenMessage<F>> = create(schema, fact as MessageInitShape<GenMessage<F>>)
  return { schema, message, tenant, version }
}

/** Tells such an event. */
export const telling =
  <F extends Fact>(schema: GenMessage<F>, more?: More<F>): Tell =>
  (tx, user) =>
    addEvent(tx, eventAbout(user, schema, more))
