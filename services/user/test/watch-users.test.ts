import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Code } from '@connectrpc/connect'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { WatchUsersResponse } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { refused, startOwned } from '@gatehouse/testkit'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { createApp } from '../src/app.ts'
import { overGrpc, type Users } from './clients.ts'
import { administrator, openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
const look = new pg.Client(story.config.databaseUrl)
await look.connect()
const signer = story.signerOf('billing')
after(async () => {
  await look.end()
  await story[Symbol.asyncDispose]()
})

/** A copy of the people, kept by the highest version of each, and how far it was told. */
class Copy {
  readonly people = new Map<string, User>()
  cursor = ''

  take({ users, cursor }: WatchUsersResponse): void {
    for (const user of users) if (user.version > (this.people.get(user.id)?.version ?? 0n)) this.people.set(user.id, user)
    this.cursor = cursor
  }

  /** Reads on from where it was until there is enough. */
  async follow(users: Users, enough: (message: WatchUsersResponse) => boolean, leave = new AbortController()): Promise<void> {
    try {
      for await (const message of users.watchUsers({ cursor: this.cursor }, { signal: leave.signal })) {
        this.take(message)
        if (enough(message)) return
      }
    } finally {
      leave.abort()
    }
  }

  get lines(): string[] {
    return [...this.people.values()].map(({ id, version, state, email, name }) => [id, version, state, email, name].join(' ')).sort()
  }
}

/** The table, as a copy that is right shows it. */
async function table(tenant = 'default'): Promise<string[]> {
  const { rows } = await look.query<{ line: string }>(
    `select concat_ws(' ', id, version, array_position(array['invited','active','suspended','deleted'], state), coalesce(email, ''), name) as line
     from users where tenant = $1`,
    [tenant],
  )
  return rows.map(({ line }) => line).sort()
}
const isTable = (copy: Copy, lines: readonly string[]) => copy.lines.join('\n') === lines.join('\n')

/** For a machine that has much else to do. */
const patienceMs = 60_000

/** Changes people through these replicas, who may die meanwhile, until it is told to stop. */
function write(replicas: readonly Users[], people: string[], seed: number): () => Promise<void> {
  let writing = true
  let state = seed
  const below = (count: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * count)
  }
  // Who calls the dead replica does not wait for it long.
  const soon = { timeoutMs: 500 }
  const acts: ((users: Users, id: string) => Promise<unknown>)[] = [
    async (users) => void people.push((await users.createUser({ name: 'New', email: `${uuidv7()}@example.com` }, soon)).user?.id ?? ''),
    (users, id) => users.updateUser({ id, name: `Name ${below(1000)}` }, soon),
    (users, id) => users.suspendUser({ id }, soon),
    (users, id) => users.reactivateUser({ id }, soon),
    (users, id) => users.deleteUser({ id }, soon),
  ]
  const done = (async () => {
    while (writing) {
      const users = replicas[below(replicas.length)]
      // What is refused, or was cut, is as it is in the table.
      if (users) await acts[below(acts.length)]?.(users, people[below(people.length)] ?? '').catch(() => {})
    }
  })()
  return () => {
    writing = false
    return done
  }
}

test('who follows ends with the table, through a killed replica, in the middle of the snapshot and after it, while many write', async () => {
  await look.query(`insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
    select 'default', gen_random_uuid(), 'active', n || '@example.com', n || '@example.com', true, n::text, n::text, 'en' from generate_series(1, 600) n`)
  const { rows } = await look.query<{ id: string }>('select id from users')
  const people = rows.map(({ id }) => id)
  await using replica = await startOwned({
    command: process.execPath,
    args: [fileURLToPath(new URL('replica-process.ts', import.meta.url)), JSON.stringify(story.config)],
    stopSignal: 'SIGKILL',
    insistSignal: 'SIGKILL',
    graceMs: 0,
  })
  const ports = JSON.parse((await replica.line((line) => line.startsWith('{"grpc"'), 30_000)) ?? '{}') as { grpc: number }
  const bearer = { authorization: `Bearer ${await story.auth.tokenFor(administrator())}` }
  const { users: there, transport } = overGrpc(`127.0.0.1:${ports.grpc}`, bearer)
  await using _transport = transport
  const here = await story.asPerson(administrator())

  const writers = [1, 2, 3, 4].map((seed) => write([here, there], people, seed))
  const [early, late] = [new Copy(), new Copy()]
  await early.follow(there, ({ snapshotComplete }) => snapshotComplete)
  let changes = 0
  const cut = assert.rejects(
    early.follow(there, ({ users }) => {
      changes += users.length
      return false
    }),
  )
  await late.follow(there, () => true)
  assert.ok(late.people.size < 600)
  await until(() => changes > 10, patienceMs)
  await replica.stop()
  await cut

  changes = 0
  const leave = new AbortController()
  const count = ({ users }: WatchUsersResponse) => {
    changes += users.length
    return false
  }
  const resumed = [early, late].map((copy) => assert.rejects(copy.follow(here, count, leave), { code: Code.Canceled }))
  await until(() => changes > 400, patienceMs)
  await here.deleteUser({ id: people[0] ?? '' })
  for (const stop of writers) await stop()
  const final = await table()
  await until(() => isTable(early, final) && isTable(late, final), patienceMs)
  leave.abort()
  await Promise.all(resumed)
  assert.ok(final.some((line) => line.split(' ')[2] === String(User_State.DELETED)))
})

test('while NATS is down, whoever watches is told, and whoever comes', async () => {
  const users = await story.asWorkload('billing')
  const copy = new Copy()
  await copy.follow(users, ({ snapshotComplete }) => snapshotComplete)
  await story.nats.stop()
  const ada = await story.register()
  await copy.follow(users, () => copy.people.has(ada.id))
  await (await story.asPerson(administrator())).deleteUser({ id: ada.id })
  await copy.follow(users, () => copy.people.get(ada.id)?.state === User_State.DELETED)
  const late = new Copy()
  await late.follow(users, ({ snapshotComplete }) => snapshotComplete)
  assert.deepEqual(late.people.get(ada.id), copy.people.get(ada.id))
  assert.deepEqual([copy.people.get(ada.id)?.name, copy.people.get(ada.id)?.email, copy.people.get(ada.id)?.locale], ['', '', ''])
  await story.nats.start()
})

test('tenants are apart, and a cursor of one is none of the other', async () => {
  const acme = await story.register({ tenant: 'acme', name: 'Of Acme' })
  const [here, there] = [new Copy(), new Copy()]
  await here.follow(await story.asWorkload('billing'), ({ snapshotComplete }) => snapshotComplete)
  await there.follow(await story.inBrowser(administrator('acme')), ({ snapshotComplete }) => snapshotComplete)
  assert.deepEqual([...there.people.keys()], [acme.id])
  assert.ok(!here.people.has(acme.id))
  const stolen = Object.assign(new Copy(), { cursor: here.cursor })
  const watching = stolen.follow(await story.asWorkload('billing', 'acme'), () => true)
  assert.deepEqual(await refused(watching, Code.InvalidArgument, 'CURSOR_INVALID'), ['cursor'])
  const garbage = Object.assign(new Copy(), { cursor: 'garbage' })
  await refused(
    garbage.follow(await story.inBrowser(administrator()), () => true),
    Code.InvalidArgument,
    'CURSOR_INVALID',
  )
})

test('a replica that ends lets go of its streams, and another goes on from their cursors', async () => {
  const second = await createApp(story.config)
  const { users, transport } = overGrpc(`127.0.0.1:${second.ports.grpc}`, { 'gatehouse-tenant': 'default' }, signer)
  await using _transport = transport
  const copy = new Copy()
  const told = Promise.withResolvers<void>()
  const watching = copy.follow(users, ({ snapshotComplete }) => {
    if (snapshotComplete) told.resolve()
    return false
  })
  await told.promise
  const start = performance.now()
  const ended = second[Symbol.asyncDispose]()
  await refused(watching, Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  await ended
  assert.ok(performance.now() - start < 4000, 'it does not wait until the drain is over')
  const ada = await story.register()
  await copy.follow(await story.asWorkload('billing'), () => copy.people.has(ada.id))
})

test('a client that shares no code with ours follows people', async () => {
  const ada = await story.register({ name: 'Ada of buf' })
  const buf = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url))
  const token = await story.auth.tokenFor(administrator())
  const url = `http://127.0.0.1:${story.app.ports.grpc}/gatehouse.user.v1.UserService/WatchUsers`
  const options = ['--protocol', 'grpc', '--http2-prior-knowledge', '-H', `Authorization: Bearer ${token}`, '-d', '{}']
  // The command is a script that starts the program: a session of its own lets both be ended.
  const curl = spawn(buf, ['curl', ...options, url], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  const exited = once(curl, 'exit')
  let said = ''
  for await (const line of createInterface({ input: curl.stdout })) {
    said += line
    if (/"snapshotComplete": ?true/.test(said)) break
  }
  assert.match(said, new RegExp(`"id": ?"${ada.id}"`))
  process.kill(-(curl.pid ?? assert.fail()), 'SIGTERM')
  await exited
})
