import type { GatehouseClient } from '@gatehouse/client'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { type Outcome, outcomeOf } from '../outcome.ts'
import { tryingAs, type Worker, type WorkerParts } from './worker.ts'

interface Known {
  readonly id: string
  /** As it was last told. */
  version: number
  state: User_State
  /** An operation was given up: what became of it has to be read. */
  uncertain: boolean
}

type Method = 'suspendUser' | 'reactivateUser' | 'deleteUser'

const opOf: Readonly<Record<Method, string>> = { suspendUser: 'suspend-user', reactivateUser: 'reactivate-user', deleteUser: 'delete-user' }

/** Invites, changes, suspends and deletes people over gRPC with the published client, and writes to them. Each has people of their own. */
export function administrator(parts: WorkerParts, gatehouse: Pick<GatehouseClient, 'users' | 'notifications' | 'about'>): Worker {
  const { house, name, random, timeoutMs } = parts
  const { users, notifications } = gatehouse
  const trying = tryingAs(parts)
  const people: Known[] = []
  const asAdministrator = async () => ({ headers: { authorization: `Bearer ${await house.adminToken()}` }, timeoutMs })

  async function about(person: Known, answer: () => Promise<{ user?: User | undefined }>): Promise<Outcome> {
    return told(answer, (user) => {
      person.version = Number(user.version)
      person.state = user.state
      person.uncertain = false
    })
  }

  async function create(): Promise<void> {
    const requestId = random.uuid()
    const email = `${name}-${random.uuid().slice(0, 13)}@chaos.example`
    let made: User | undefined
    const outcome = await trying('create-user', requestId, { email, name: email }, () =>
      told(
        async () => users.createUser({ email, name: email, requestId }, await asAdministrator()),
        (user) => {
          made = user
        },
      ),
    )
    if (outcome.kind === 'done' && made) people.push({ id: made.id, version: Number(made.version), state: made.state, uncertain: false })
  }

  async function update(person: Known): Promise<void> {
    const newName = `${name} ${random.uuid()}`
    const from = person.version
    person.uncertain = true
    await trying('update-user', newName, { id: person.id, from, name: newName }, () =>
      about(person, async () => users.updateUser({ id: person.id, etag: `v${from}`, name: newName }, await asAdministrator())),
    )
  }

  async function change(person: Known, method: Method): Promise<void> {
    const from = person.version
    person.uncertain = true
    await trying(opOf[method], `${person.id} ${from}`, { id: person.id, from }, async () => {
      if (method !== 'deleteUser') return about(person, async () => users[method]({ id: person.id }, await asAdministrator()))
      return told(async () => {
        await users.deleteUser({ id: person.id }, await asAdministrator())
        people.splice(people.indexOf(person), 1)
        return {}
      })
    })
  }

  async function read(person: Known): Promise<void> {
    const outcome = await trying(
      'read-user',
      random.uuid(),
      { id: person.id, atLeast: person.version },
      () => about(person, async () => users.getUser({ id: person.id }, await asAdministrator())),
      { insists: true },
    )
    // Deleted by an operation that was given up.
    if (outcome.kind === 'refused') people.splice(people.indexOf(person), 1)
  }

  async function write(person: Known): Promise<void> {
    const requestId = random.uuid()
    const title = `News ${requestId}`
    await trying('send-notification', requestId, { recipient: person.id, title }, async () => {
      try {
        const { notification } = await notifications.sendNotification(
          { template: 'announcement', recipient: person.id, data: { title, text: 'Nothing is lost.' }, requestId },
          gatehouse.about('default', { timeoutMs }),
        )
        return { kind: 'done', result: { id: notification?.id ?? '' } }
      } catch (error) {
        return outcomeOf(error)
      }
    })
  }

  return {
    name,
    async step() {
      const draw = random.integer(1, 100)
      const person = people.length === 0 ? undefined : random.pick(people)
      if (person?.uncertain) return read(person)
      if (!person || draw <= 35) return create()
      if (draw <= 75) return update(person)
      if (draw <= 82) return write(person)
      if (draw <= 88) return read(person)
      if (person.state === User_State.SUSPENDED) return change(person, 'reactivateUser')
      if (draw <= 94) return person.state === User_State.ACTIVE ? change(person, 'suspendUser') : update(person)
      return change(person, 'deleteUser')
    },
  }
}

async function told(answer: () => Promise<{ user?: User | undefined }>, onUser?: (user: User) => void): Promise<Outcome> {
  try {
    const { user } = await answer()
    if (!user) return { kind: 'done', result: {} }
    onUser?.(user)
    return { kind: 'done', result: { id: user.id, version: Number(user.version), name: user.name, state: user.state } }
  } catch (error) {
    return outcomeOf(error)
  }
}
