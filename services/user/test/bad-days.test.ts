import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, ConnectError } from '@connectrpc/connect'
import { createApiKey } from '@gatehouse/identity'
import { reasonOf } from '@gatehouse/rpc'
import { refused } from '@gatehouse/testkit'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { createApp } from '../src/app.ts'
import { overGrpc, overWeb } from './clients.ts'
import { administrator, openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())

const database = new URL(story.adminDatabaseUrl).pathname.slice(1)
const cutEveryConnection =
  "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gatehouse_user' and datname = current_database()"

async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: story.adminDatabaseUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

test('when every connection is cut, calls are answered or unavailable, and what was answered is there', async () => {
  const auth = await story.asWorkload('auth')
  const answered: string[] = []
  let cutting = true
  const writer = async (): Promise<void> => {
    while (cutting) {
      const id = uuidv7()
      try {
        await auth.registerUser({ id, name: 'Under fire', email: `${id}@example.com` })
        answered.push(id)
      } catch (error) {
        assert.equal(ConnectError.from(error).code, Code.Unavailable, String(error))
      }
    }
  }
  const writers = Array.from({ length: 4 }, writer)
  for (let count = 0; count < 5; count++) {
    await asSuperuser(cutEveryConnection)
    await delay(20)
  }
  cutting = false
  await Promise.all(writers)
  await story.register()
  assert.ok(answered.length > 0)
  for (let at = 0; at < answered.length; at += 1000) {
    const { missingIds } = await auth.batchGetUsers({ ids: answered.slice(at, at + 1000) })
    assert.deepEqual(missingIds, [])
  }
})

test('a database that lets nobody in is unavailable, and found again by itself', async () => {
  const { id } = await story.register()
  const users = await story.inBrowser(administrator())
  await asSuperuser(`alter database ${database} connection limit 0`)
  try {
    await asSuperuser(cutEveryConnection)
    await until(() =>
      users.getUser({ id }).then(
        () => false,
        () => true,
      ),
    )
    await refused(users.getUser({ id }), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
    assert.equal((await fetch(`http://127.0.0.1:${story.app.ports.metrics}/readyz`)).status, 200)
  } finally {
    await asSuperuser(`alter database ${database} connection limit -1`)
  }
  await until(() =>
    users.getUser({ id }).then(
      () => true,
      () => false,
    ),
  )
})

/** What Postgres works on, or waits for, in the name of the service. */
async function atWork(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ query: string }>(
    "select query from pg_stat_activity where usename = 'gatehouse_user' and datname = current_database() and state <> 'idle' and query ~ 'users'",
  )
  return rows.map(({ query }) => query)
}

test('a call that is late or cancelled leaves Postgres soon after, through both doors', async () => {
  const { id } = await story.register()
  const grpc = await story.asPerson(administrator())
  const web = await story.inBrowser(administrator())
  const holder = new pg.Client({ connectionString: story.adminDatabaseUrl })
  const watcher = new pg.Client({ connectionString: story.adminDatabaseUrl })
  await Promise.all([holder.connect(), watcher.connect()])
  try {
    await holder.query('begin')
    await holder.query('select from gatehouse_user.users where id = $1 for update', [id])
    const waits = () => until(async () => (await atWork(watcher)).length > 0)
    // By itself a statement would wait for the row for four seconds.
    const rests = () => until(async () => (await atWork(watcher)).length === 0, 2000)
    for (const users of [grpc, web]) {
      const isLate = (error: unknown): boolean => ConnectError.from(error).code === Code.DeadlineExceeded
      const late = assert.rejects(users.updateUser({ id, name: 'Too late' }, { timeoutMs: 300 }), isLate)
      await waits()
      await late
      await rests()
      const caller = new AbortController()
      const cancelled = assert.rejects(users.updateUser({ id, name: 'Changed my mind' }, { signal: caller.signal }))
      await waits()
      caller.abort()
      await cancelled
      await rests()
    }
    await holder.query('rollback')
    const { user } = await grpc.getUser({ id })
    assert.equal(user?.version, 1n)
  } finally {
    await Promise.all([holder.end(), watcher.end()])
  }
})

test('calls in flight are answered before the service ends', async () => {
  const people = await Promise.all(Array.from({ length: 20 }, () => story.register()))
  const second = await createApp(story.config)
  const { users, transport } = overGrpc(`127.0.0.1:${second.ports.grpc}`, {
    authorization: `Bearer ${await story.auth.tokenFor(administrator())}`,
  })
  await using _transport = transport
  await users.getUser({ id: people[0]?.id ?? '' })
  const calls = people.map(({ id }) => users.updateUser({ id, name: 'Changed at the end' }))
  // The requests are on their way when the first one was answered.
  await calls[0]
  const ended = second[Symbol.asyncDispose]()
  for (const { user } of await Promise.all(calls)) assert.equal(user?.name, 'Changed at the end')
  await ended
})

test('while auth is away a known API key goes on, an unknown one is unavailable, and a mistyped one is no key', async () => {
  const id = uuidv7()
  const { key } = createApiKey(id)
  const permissions = ['user.users.read']
  story.auth.apiKeys.set(id, {
    tenant: 'default',
    serviceAccountId: uuidv7(),
    serviceAccountName: 'robot',
    scopes: permissions,
    permissions,
  })
  const { id: person } = await story.register()
  const read = async (token: string) => {
    const { users, transport } = overGrpc(`127.0.0.1:${story.app.ports.grpc}`, { authorization: `Bearer ${token}` })
    await using _ = transport
    const overBoth = [users.getUser({ id: person }), overWeb(story.origin('default'), token).getUser({ id: person })]
    return await Promise.allSettled(overBoth)
  }
  const reasons = async (token: string) =>
    (await read(token)).map((end) => (end.status === 'fulfilled' ? 'ok' : reasonOf(ConnectError.from(end.reason))))
  assert.deepEqual(await reasons(key), ['ok', 'ok'])
  const mistyped = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
  assert.deepEqual(await reasons(mistyped), ['ACCESS_TOKEN_INVALID', 'ACCESS_TOKEN_INVALID'])
  assert.deepEqual(story.auth.askedKeys, [id], 'both doors asked once, and for the mistyped key nobody was asked')
  await story.auth[Symbol.asyncDispose]()
  assert.deepEqual(await reasons(key), ['ok', 'ok'])
  const unknown = createApiKey(uuidv7()).key
  assert.deepEqual(await reasons(unknown), ['DEPENDENCY_UNAVAILABLE', 'DEPENDENCY_UNAVAILABLE'])
  assert.deepEqual(await reasons(key), ['ok', 'ok'])
  assert.deepEqual(await reasons(mistyped), ['ACCESS_TOKEN_INVALID', 'ACCESS_TOKEN_INVALID'])
})
