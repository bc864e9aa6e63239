import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../test/open-users.ts'
import { until } from '../../test/until.ts'
import { addPendingRevocation, takePendingRevocations } from '../store/pending-revocations.ts'
import { type EndSessionsOptions, endSessions } from './end-sessions.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())
const { db } = users.deps
beforeEach(() => db.deleteFrom('pending_revocations').execute())

const silent = { warn() {}, info() {} }
const waiting = async () => (await db.selectFrom('pending_revocations').select('user_id').execute()).map(({ user_id }) => user_id)
const start = (revoke: EndSessionsOptions['revoke'], options: Partial<EndSessionsOptions> = {}) =>
  endSessions({ db, revoke, log: silent, pollMs: 20, maxBackoffMs: 20, ...options })

async function ask(version = 2n, tenant = 'default'): Promise<string> {
  const user_id = uuidv7()
  await addPendingRevocation(db, { tenant, user_id, version })
  return user_id
}

test('asks once for each person, in the person’s tenant, and forgets them', async () => {
  const asked: { tenant: string; userId: string }[] = []
  const people = await Promise.all(Array.from({ length: 45 }, (_, index) => ask(2n, index % 2 ? 'acme' : 'default')))
  await using _worker = start(async (person) => void asked.push(person))
  await until(async () => (await waiting()).length === 0)
  assert.deepEqual(asked.map(({ userId }) => userId).toSorted(), people.toSorted())
  assert.deepEqual(asked.find(({ userId }) => userId === people[1])?.tenant, 'acme')
})

test('tries on until auth answers, and says so once', async () => {
  const said: string[] = []
  const log = { warn: (_: object, message: string) => void said.push(message), info: (message: string) => void said.push(message) }
  const person = await ask()
  let calls = 0
  const revoke = async (): Promise<void> => {
    if (++calls < 6) throw new Error('away')
  }
  await using _worker = start(revoke, { log })
  await until(async () => (await waiting()).length === 0)
  assert.equal(calls, 6)
  await until(() => said.length === 2)
  assert.deepEqual(said, [
    'sessions of suspended or deleted people cannot be ended; trying on',
    'sessions of suspended and deleted people are ended again',
  ])
  assert.ok(person)
})

test('one whom auth takes its time for holds up nobody', async () => {
  const slow = await ask()
  const answer = Promise.withResolvers<void>()
  const done: string[] = []
  await using worker = start(
    async ({ userId }) => {
      if (userId === slow) await answer.promise
      done.push(userId)
    },
    // Whoever waits for the next look waits in vain.
    { pollMs: 3_600_000 },
  )
  await until(async () => (await db.selectFrom('pending_revocations').select('attempts').executeTakeFirst())?.attempts === 1)
  const other = await ask()
  worker.nudge()
  await until(() => done.includes(other))
  answer.resolve()
  await until(() => done.includes(slow))
})

test('one who always fails holds up nobody', async () => {
  const poison = await ask()
  const done: string[] = []
  await using worker = start(async ({ userId }) => {
    if (userId === poison) throw new Error('never')
    done.push(userId)
  })
  const others = await Promise.all(Array.from({ length: 5 }, () => ask()))
  worker.nudge()
  await until(() => done.length === 5)
  assert.deepEqual(done.toSorted(), others.toSorted())
  await until(async () => (await waiting()).join() === poison)
})

test('replicas do not double up', async () => {
  const asked: string[] = []
  const people = await Promise.all(Array.from({ length: 60 }, () => ask()))
  const revoke: EndSessionsOptions['revoke'] = async ({ userId }) => {
    asked.push(userId)
    await delay(2)
  }
  await using _one = start(revoke)
  await using _two = start(revoke)
  await using _three = start(revoke)
  await until(async () => (await waiting()).length === 0)
  assert.deepEqual(asked.toSorted(), people.toSorted())
})

test('what a killed replica held is taken when its lease is over', async () => {
  const person = await ask()
  assert.equal((await takePendingRevocations(db, { limit: 10, leaseMs: 150 })).length, 1)
  assert.equal((await takePendingRevocations(db, { limit: 10, leaseMs: 150 })).length, 0)
  const asked: string[] = []
  await using _worker = start(async ({ userId }) => void asked.push(userId))
  await until(async () => (await waiting()).length === 0)
  assert.deepEqual(asked, [person])
})

test('a request that comes while the one before is answered is answered too', async () => {
  const user_id = await ask(2n)
  let calls = 0
  await using _worker = start(async () => {
    if (++calls === 1) await addPendingRevocation(db, { tenant: 'default', user_id, version: 4n })
  })
  await until(async () => calls === 2 && (await waiting()).length === 0)
})

test('stopping ends the call under way and gives the work back at once', async () => {
  const person = await ask()
  let called = false
  const worker = start(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        called = true
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  )
  await until(() => called)
  await worker[Symbol.asyncDispose]()
  assert.deepEqual(
    (await takePendingRevocations(db, { limit: 10, leaseMs: 0 })).map(({ user_id }) => user_id),
    [person],
  )
})

test('a nudge does not wait for the poll', async () => {
  const asked: string[] = []
  await using worker = start(async ({ userId }) => void asked.push(userId), { pollMs: 600_000 })
  const person = await ask()
  worker.nudge()
  await until(() => asked.includes(person))
})
