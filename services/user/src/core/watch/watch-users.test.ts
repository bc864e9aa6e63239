import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connectNats, createRelay, type Relay } from '@gatehouse/events'
import { encodePageToken, transact } from '@gatehouse/postgres'
import { Refusal } from '@gatehouse/rpc'
import { sql } from 'kysely'
import { openUsers, type Users } from '../../../test/open-users.ts'
import { deleteUser } from '../delete-user.ts'
import { suspendUser } from '../suspend-user.ts'
import { updateUser } from '../update-user.ts'
import { createUserFeed, type UserFeed, type UserFeedOptions } from './user-feed.ts'
import { type Told, type WatchUsers, watchUsers } from './watch-users.ts'

let users: Users
let relay: Relay
// There is no broker at all: whoever watches people does not need one.
const nats = connectNats({ url: 'nats://127.0.0.1:1', name: 'nobody' })
before(async () => {
  users = await openUsers()
  relay = createRelay({ db: users.deps.db, nats, service: 'user', pollMs: 5 })
})
after(async () => {
  await relay[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
  await users[Symbol.asyncDispose]()
})

const silent = { warn() {}, info() {} }
const openFeed = (options: Partial<UserFeedOptions> = {}): UserFeed =>
  createUserFeed({ db: users.deps.db, log: silent, pollMs: 5, ...options })

/** A reader with its copy: of each person the highest version. */
function follow(feed: UserFeed, input: Partial<WatchUsers> = {}, copy: Copy = new Map()) {
  const abort = new AbortController()
  const stream = watchUsers(
    { db: users.deps.db, feed },
    { tenant: 'default', caller: 'workload:billing', cursor: '', signal: abort.signal, ...input },
  )
  const read = async (): Promise<Told> => {
    const { value, done } = await stream.next()
    if (done) assert.fail('the stream ended')
    for (const user of value.users) if (user.version > (copy.get(user.id)?.version ?? 0n)) copy.set(user.id, user)
    return value
  }
  return {
    copy,
    stream,
    read,
    async until(enough: (message: Told) => boolean): Promise<Told> {
      for (;;) {
        const message = await read()
        if (enough(message)) return message
      }
    },
    async end(): Promise<void> {
      abort.abort()
      await stream.return(undefined)
    },
  }
}
type Copy = Map<string, Told['users'][number]>

async function table(tenant: string): Promise<unknown[]> {
  const { rows } = await sql`select id, version, state, email, name from users where tenant = ${tenant} order by id`.execute(users.deps.db)
  return rows
}
const shown = (copy: Copy) =>
  [...copy.values()]
    .map(({ id, version, state, email, name }) => ({ id, version, state, email, name }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

const refusedWith = (reason: string) => (error: unknown) => error instanceof Refusal && error.reason === reason

test('everybody is told, then whoever changes, and a deleted person as what is left', async () => {
  await using feed = openFeed()
  const tenant = 'first'
  const ada = await users.register({ tenant })
  const bob = await users.invite({ tenant, name: 'Bob' })
  await deleteUser(users.deps, ada)
  const reader = follow(feed, { tenant })
  const { snapshotComplete } = await reader.read()
  assert.ok(snapshotComplete)
  assert.deepEqual(shown(reader.copy), await table(tenant))

  await updateUser(users.deps, { tenant, id: bob.id, etag: '', name: 'Bobby', locale: undefined, timeZone: undefined })
  await reader.until(({ users: [user] }) => user?.version === 2n)
  const eve = await users.register({ tenant, name: 'Eve' })
  await deleteUser(users.deps, bob)
  await reader.until(() => reader.copy.has(eve.id) && reader.copy.get(bob.id)?.state === 'deleted')
  assert.deepEqual(shown(reader.copy), await table(tenant))
  const { create_time: _c, update_time: _u, ...tombstone } = reader.copy.get(bob.id) ?? assert.fail()
  assert.deepEqual(tombstone, {
    tenant,
    id: bob.id,
    version: 3n,
    state: 'deleted',
    email: null,
    email_verified: false,
    name: '',
    locale: '',
    time_zone: '',
  })
  await reader.end()
})

test('while pages of people are told, whoever comes, changes or goes is told in the end, also after a break in the middle', async () => {
  await using feed = openFeed()
  const tenant = 'pages'
  await sql`insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
    select ${tenant}, gen_random_uuid(), 'active', n || '@example.com', n || '@example.com', true, n::text, n::text, 'en'
    from generate_series(1, 600) n`.execute(users.deps.db)
  const ids = (await table(tenant)).map((row) => (row as { id: string }).id)
  const [first = '', last = ''] = [ids[0], ids.at(-1)]
  const reader = follow(feed, { tenant })
  const page = await reader.read()
  assert.deepEqual([page.users.length, page.snapshotComplete], [250, false])
  await suspendUser(users.deps, { tenant, id: first })
  await suspendUser(users.deps, { tenant, id: last })
  // Before everybody who was told: a page that follows never shows them.
  await users.register({ tenant, id: '00000000-0000-7000-8000-000000000001' })
  await reader.end()

  const resumed = follow(feed, { tenant, cursor: page.cursor }, reader.copy)
  const second = await resumed.read()
  assert.equal(second.users[0]?.id, ids[250])
  await deleteUser(users.deps, { tenant, id: ids[300] ?? '' })
  await resumed.until(({ snapshotComplete }) => snapshotComplete)
  await resumed.until(() => resumed.copy.get(ids[300] ?? '')?.state === 'deleted' && resumed.copy.size === 601)
  assert.deepEqual(shown(resumed.copy), await table(tenant))
  await resumed.end()
})

test('a change whose transaction commits late is told to whoever was told later ones, and to whoever resumes', async () => {
  await using feed = openFeed()
  const tenant = 'late'
  const [ada, bob] = [await users.register({ tenant }), await users.register({ tenant })]
  const reader = follow(feed, { tenant })
  await reader.until(({ snapshotComplete }) => snapshotComplete)
  let resumed = reader
  await transact(users.deps.db, async (tx) => {
    const deps = { ...users.deps, db: tx }
    await sql`update users set version = version + 1, name = 'Late' where tenant = ${tenant} and id = ${ada.id}`.execute(tx)
    await sql`insert into outbox (tenant, id, type, subject, key, version, payload)
      values (${tenant}, gen_random_uuid(), 'gatehouse.user.v1.UserUpdated', 'gatehouse.user.v1.UserUpdated.late', ${ada.id}, 2, '')`.execute(
      deps.db,
    )
    // Others commit and are told while this one is still open.
    await suspendUser(users.deps, bob)
    const { cursor } = await reader.until(() => reader.copy.get(bob.id)?.state === 'suspended')
    await reader.end()
    resumed = follow(feed, { tenant, cursor }, reader.copy)
    await resumed.read()
  })
  await resumed.until(() => resumed.copy.get(ada.id)?.name === 'Late')
  await resumed.end()
})

test('silence is broken by messages that move the cursor on, past what happens in other tenants', async () => {
  await using feed = openFeed()
  const reader = follow(feed, { tenant: 'quiet', heartbeatMs: 20 })
  const { cursor } = await reader.until(({ snapshotComplete }) => snapshotComplete)
  await users.register({ tenant: 'loud' })
  const bookmark = await reader.until((message) => message.cursor !== cursor)
  assert.deepEqual(bookmark.users, [])
  await reader.end()
})

test('many readers of many tenants are each told their own, those who are behind too', async () => {
  await using feed = openFeed({ keptEvents: 10 })
  const tenants = ['one', 'two', 'three']
  const readers = tenants.flatMap((tenant) => [follow(feed, { tenant }), follow(feed, { tenant })].map((reader) => ({ tenant, reader })))
  for (const { reader } of readers) await reader.until(({ snapshotComplete }) => snapshotComplete)
  for (let i = 0; i < 20; i++) for (const tenant of tenants) await users.register({ tenant })
  await Promise.all(
    readers.map(async ({ tenant, reader }) => {
      await reader.until(() => reader.copy.size === 20)
      assert.deepEqual(shown(reader.copy), await table(tenant))
      await reader.end()
    }),
  )
})

test('somebody who was deleted since is not told as they were, also not by what was read before', async () => {
  await using feed = openFeed({ freshMs: 0 })
  const tenant = 'deleted'
  const reader = follow(feed, { tenant })
  const { cursor } = await reader.until(({ snapshotComplete }) => snapshotComplete)
  const ada = await users.register({ tenant })
  await reader.until(() => reader.copy.has(ada.id))
  await deleteUser(users.deps, ada)
  await reader.until(() => reader.copy.get(ada.id)?.state === 'deleted')
  const late = follow(feed, { tenant, cursor })
  const told = await late.until(({ users: people }) => people.length > 0)
  assert.deepEqual(
    told.users.map(({ version, name }) => [version, name]),
    [[2n, '']],
  )
  await late.end()
  await reader.end()
})

test('a cursor is good for its tenant, and until what follows it is gone', async () => {
  await using feed = openFeed()
  const tenant = 'cursors'
  await users.register({ tenant })
  const reader = follow(feed, { tenant })
  const { cursor } = await reader.until(({ snapshotComplete }) => snapshotComplete)
  await reader.end()
  const attempt = (input: Partial<WatchUsers>) => follow(feed, { tenant, ...input }).read()
  const own = (...parts: string[]) => encodePageToken(JSON.stringify(['WatchUsers', tenant]), parts)
  await assert.rejects(attempt({ tenant: 'other', cursor }), refusedWith('CURSOR_INVALID'))
  const malformed = [own(), own('1'), own('-1', ''), own('1e3', ''), own('1', 'xyz'), own('1', '', 'nobody'), own('1', '', '', '')]
  for (const bad of ['x', '%', cursor.slice(2), ...malformed])
    await assert.rejects(attempt({ cursor: bad }), refusedWith('CURSOR_INVALID'), bad)

  await assert.rejects(attempt({ cursor: own('999999999999999999', '') }), refusedWith('CURSOR_EXPIRED'))
  await assert.rejects(attempt({ cursor: own('999999999999999999', '', crypto.randomUUID()) }), refusedWith('CURSOR_EXPIRED'))
  await sql`update relay_lease set forgotten_position = position`.execute(users.deps.db)
  await users.register({ tenant })
  const next = follow(feed, { tenant })
  await next.until(({ snapshotComplete }) => snapshotComplete)
  await next.end()
  await sql`update relay_lease set forgotten_position = position + 1, position = position + 1`.execute(users.deps.db)
  await assert.rejects(attempt({ cursor }), refusedWith('CURSOR_EXPIRED'))
})

test('streams are bounded in all and for each caller', async () => {
  await using feed = openFeed({ maxStreams: 3, maxStreamsOfCaller: 2 })
  const open = async (caller: string, tenant = 'default') => {
    const reader = follow(feed, { caller, tenant })
    await reader.read()
    return reader
  }
  const readers = [await open('a'), await open('a')]
  await assert.rejects(open('a'), refusedWith('LIMIT_EXCEEDED'))
  readers.push(await open('a', 'acme'))
  await assert.rejects(open('b'), refusedWith('OVERLOADED'))
  await readers[0]?.end()
  await (await open('b')).end()
  for (const reader of readers) await reader.end()
})
