import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type WatchRevocationsResponse, WatchRevocationsResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { createRevocationList, followRevocations, type RevocationSource } from './index.ts'

const forgetTime = timestampFromMs(Date.now() + 600_000)
const ended = (sessionId: string) => ({ sessionId, tenant: 'default', forgetTime })
const message = (parts: Partial<WatchRevocationsResponse>) => create(WatchRevocationsResponseSchema, parts as never)

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); await delay(2)) assert.ok(performance.now() < end, 'within ten seconds')
}

/** Auth, as the test has it tell: each watch is told what the script of its number says. */
function telling(...scripts: ((signal: AbortSignal | undefined) => AsyncIterable<WatchRevocationsResponse>)[]) {
  const cursors: string[] = []
  const source: RevocationSource = {
    watchRevocations({ cursor }, options) {
      cursors.push(cursor)
      return (scripts[cursors.length - 1] ?? scripts.at(-1) ?? assert.fail())(options?.signal)
    },
  }
  return { source, cursors }
}

const forEver = (signal: AbortSignal | undefined) => new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))

test('a follower that is cut off keeps what it knew, says so, and asks again from where it was', async () => {
  const cut = Promise.withResolvers<void>()
  const back = Promise.withResolvers<void>()
  const { source, cursors } = telling(
    async function* () {
      yield message({ revoked: [ended('s1')] as never, cursor: 'c1', snapshotComplete: true })
      await cut.promise
      throw new Error('cut')
    },
    async function* (signal) {
      await back.promise
      yield message({ raised: [{ ...ended('s2'), generation: 2 }] as never, cursor: 'c2' })
      await forEver(signal)
    },
  )
  const told: unknown[] = []
  await using follower = followRevocations(source, (error) => void told.push(error))
  await follower.ready
  assert.deepEqual([follower.connected, follower.isRevoked('s1'), follower.isRevoked('s2', 1)], [true, true, false])
  cut.resolve()
  await until(() => cursors.length === 2)
  assert.deepEqual([follower.connected, follower.isRevoked('s1'), told.length], [false, true, 1])
  back.resolve()
  await until(() => follower.connected)
  assert.deepEqual(cursors, ['', 'c1'])
  assert.deepEqual([follower.isRevoked('s2', 1), follower.isRevoked('s2', 2), told.length, told[1]], [true, false, 2, undefined])
})

test('a cursor that is refused is asked from no more', async () => {
  const { source, cursors } = telling(
    async function* () {
      yield message({ cursor: 'old', snapshotComplete: true })
    },
    // biome-ignore lint/correctness/useYield: it refuses before it tells anything.
    async function* () {
      throw Object.assign(new Error('too old'), { code: 9 })
    },
    async function* (signal) {
      yield message({ revoked: [ended('s1')] as never, cursor: 'new', snapshotComplete: true })
      await forEver(signal)
    },
  )
  await using follower = followRevocations(source)
  await until(() => follower.isRevoked('s1'))
  assert.deepEqual(cursors, ['', 'old', ''])
})

test('a verifier that starts while auth is away does not wait for ever', async () => {
  const { source } = telling(async function* (signal) {
    yield* []
    await forEver(signal)
  })
  const started = performance.now()
  await using follower = followRevocations(source)
  await follower.ready
  assert.ok(performance.now() - started < 10_000)
  assert.equal(follower.connected, false)
})

test('what no token can need any more is forgotten', () => {
  const clock = { now: 0 }
  const list = createRevocationList(() => clock.now)
  list.add('s1', 1_000)
  list.raise('s2', 1, 1_000)
  clock.now = 120_000
  list.add('s3', 300_000)
  assert.deepEqual([list.isRevoked('s1'), list.isRevoked('s2'), list.isRevoked('s3')], [false, false, true])
})
