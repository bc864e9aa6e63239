import { setTimeout as delay } from 'node:timers/promises'
import type { Constellation } from '../constellation.ts'
import { failure, type Outcome } from '../outcome.ts'
import type { PlainCall } from '../plain-call.ts'
import type { Random } from '../random.ts'
import type { Worker } from './worker.ts'

export interface PlainClientParts {
  readonly house: Constellation
  readonly name: string
  readonly random: Random
  readonly call: PlainCall
  /** Waits so long between two calls at the longest; whoever waits long meets connections that others have given up. */
  readonly pauseMs: number
}

type Said = { readonly [member: string]: Said } & string

/** Somebody who calls every service over Connect and REST, each call once: whatever fails has failed. */
export async function plainClient({ house, name, random, call, pauseMs }: PlainClientParts): Promise<Worker> {
  const email = `${name}-${random.seed}@chaos.example`
  const person = JSON.parse(await house.gatehouse('auth', ['dev', 'person', email])) as Said
  let session = { access: String(person.access_token), refresh: String(person.refresh_token) }
  const people: { readonly id: string; readonly version: number }[] = []

  async function once(
    op: string,
    id: string,
    args: Readonly<Record<string, string | number>>,
    ...[method, path, given, keep]: [...Parameters<PlainCall>, (said: Said) => Extract<Outcome, { kind: 'done' }>['result']]
  ): Promise<void> {
    const tell = house.history.invoke({ worker: name, op, id, args })
    try {
      const { status, text } = await call(method, path, given)
      if (status >= 200 && status < 300) return tell({ kind: 'done', result: keep(JSON.parse(text) as Said) })
      tell(failure('unavailable', `HTTP ${status}: ${text.slice(0, 200)}`))
    } catch (error) {
      const { message, cause } = error as Error
      tell(failure('unavailable', [message, cause instanceof Error ? cause.message : ''].join(' ')))
    }
  }
  const userOf = (user: Said | undefined) => ({ id: String(user?.id), version: Number(user?.version), name: String(user?.name) })
  const nothing = () => ({})
  const rpc = (service: string, method: string) => `/gatehouse.${service}.v1.${method}`

  async function create(token: string): Promise<void> {
    const requestId = random.uuid()
    const address = `${name}-${requestId.slice(0, 13)}@chaos.example`
    const body = { name: address, email: address, requestId }
    await once('create-user', requestId, { email: address, name: address }, 'POST', '/api/users', { token, body }, (said) => {
      const user = userOf(said)
      people.push(user)
      return user
    })
  }

  const acts: readonly (() => Promise<void>)[] = [
    async () => create(await house.adminToken()),
    async () => {
      const token = await house.adminToken()
      const known = people.at(-1)
      if (!known) return create(token)
      const { id, version } = known
      const body = { id }
      await once(
        'read-user',
        random.uuid(),
        { id, atLeast: version },
        'POST',
        rpc('user', 'UserService/GetUser'),
        { token, body },
        (said) => userOf(said.user),
      )
    },
    async () => once('plain-list', random.uuid(), {}, 'GET', '/api/users?pageSize=2', { token: await house.adminToken() }, nothing),
    () =>
      once(
        'plain-sessions',
        random.uuid(),
        {},
        'POST',
        rpc('auth', 'SessionService/ListSessions'),
        { token: session.access, body: {} },
        nothing,
      ),
    () =>
      once(
        'plain-inbox',
        random.uuid(),
        {},
        'POST',
        rpc('notification', 'InboxService/ListInboxItems'),
        { token: session.access, body: {} },
        nothing,
      ),
    () =>
      once(
        'plain-refresh',
        random.uuid(),
        {},
        'POST',
        rpc('auth', 'SessionService/RefreshSession'),
        { body: { refreshToken: session.refresh } },
        (said) => {
          session = { access: String(said.signedIn?.accessToken), refresh: String(said.signedIn?.refreshToken) }
          return {}
        },
      ),
  ]
  return {
    name,
    async step() {
      await random.pick(acts)()
      await delay(random.integer(0, pauseMs))
    },
  }
}
