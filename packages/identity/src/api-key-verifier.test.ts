import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  createApiKey,
  createApiKeyVerifier,
  createRevocationList,
  type ResolvedKey,
  TokenInvalid,
  VerificationUnavailable,
} from './index.ts'

const good: ResolvedKey = {
  tenant: 'default',
  serviceAccountId: randomUUID(),
  serviceAccountName: 'robot',
  scopes: ['user.users.read', 'user.users.write'],
  permissions: ['user.users.read'],
  expireTime: { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 },
  limit: { count: 5, windowSeconds: 60 },
}

/** A verifier whose auth answers what the test says. */
function open({ answer = async () => good as ResolvedKey | undefined, connected = true, maxLooks = 200 } = {}) {
  const list = createRevocationList()
  const auth = { answer, connected, asked: [] as { id: string; hash: string }[], now: Date.now() }
  const verifier = createApiKeyVerifier({
    resolve: async (id, hash) => {
      auth.asked.push({ id, hash: Buffer.from(hash).toString('hex') })
      return await auth.answer()
    },
    changes: {
      onKeyChanged: list.onKeyChanged,
      get connected() {
        return auth.connected
      },
    },
    now: () => auth.now,
    maxLooks,
  })
  return { auth, list, verifier }
}

const away = async (): Promise<never> => {
  throw new Error('auth is away')
}

test('a key is asked for once, by id and hash and never by itself, and is then known', async () => {
  const { auth, verifier } = open()
  const id = randomUUID()
  const { key } = createApiKey(id)
  assert.equal(verifier.known(key), undefined)
  const [person] = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(key)))
  assert.deepEqual(auth.asked, [{ id, hash: createHash('sha256').update(key).digest('hex') }])
  assert.equal(verifier.known(key), person)
  assert.deepEqual(
    [
      person?.kind,
      person?.id,
      person?.tenant,
      person?.sessionId,
      [...(person?.permissions ?? [])],
      [...(person?.apiKey?.scopes ?? [])],
      person?.apiKey?.limit,
    ],
    ['service_account', good.serviceAccountId, 'default', '', good.permissions, good.scopes, good.limit],
  )
  await verifier.verify(key)
  assert.equal(auth.asked.length, 1)
})

test('garbage costs no call, and a key that is no good costs one', async () => {
  const { auth, verifier } = open({ answer: async () => undefined })
  const { key } = createApiKey(randomUUID())
  for (const text of ['gh_live_', `${key}x`, key.slice(1)]) await assert.rejects(verifier.verify(text), TokenInvalid)
  for (let place = 0; place < key.length; place++) {
    for (const letter of 'aB0_ ')
      if (letter !== key[place]) await assert.rejects(verifier.verify(key.slice(0, place) + letter + key.slice(place + 1)), TokenInvalid)
  }
  assert.equal(auth.asked.length, 0)
  for (let time = 0; time < 5; time++) await assert.rejects(verifier.verify(key), TokenInvalid)
  assert.equal(auth.asked.length, 1)
})

test('a key that changed is forgotten at once: revoked, or good again', async () => {
  const { auth, list, verifier } = open()
  const id = randomUUID()
  const { key } = createApiKey(id)
  await verifier.verify(key)
  auth.answer = async () => undefined
  list.changeKey(randomUUID())
  assert.ok(verifier.known(key))
  list.changeKey(id)
  await assert.rejects(verifier.verify(key), TokenInvalid)
  auth.answer = async () => good
  await assert.rejects(verifier.verify(key), TokenInvalid)
  list.changeKey(id)
  assert.equal((await verifier.verify(key)).id, good.serviceAccountId)
})

test('an answer that was under way when the key changed is neither believed nor kept', async () => {
  const { auth, list, verifier } = open()
  const id = randomUUID()
  const { key } = createApiKey(id)
  const first = Promise.withResolvers<ResolvedKey>()
  auth.answer = () => first.promise
  const verified = verifier.verify(key)
  list.changeKey(id)
  auth.answer = async () => undefined
  first.resolve(good)
  await assert.rejects(verified, TokenInvalid)
  assert.equal(verifier.known(key), undefined)
})

test('a key ends by its own time without a word from auth', async () => {
  const { auth, verifier } = open()
  const { key } = createApiKey(randomUUID())
  await verifier.verify(key)
  auth.now += 3601_000
  assert.equal(verifier.known(key), undefined)
  await assert.rejects(verifier.verify(key), TokenInvalid)
})

test('while auth is away what is known goes on for ten minutes, and what is unknown waits for nobody', async (t) => {
  const { auth, verifier } = open()
  const { key } = createApiKey(randomUUID())
  let passed = 0
  const real = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => real() + passed)
  await verifier.verify(key)
  auth.answer = away
  auth.connected = false
  for (const minutes of [0, 1, 5, 9.9]) {
    passed = minutes * 60_000
    assert.equal((await verifier.verify(key)).id, good.serviceAccountId, `${minutes} minutes`)
  }
  const asked = auth.asked.length
  for (let time = 0; time < 20; time++) await verifier.verify(key)
  await assert.rejects(verifier.verify(createApiKey(randomUUID()).key), VerificationUnavailable)
  assert.equal(auth.asked.length, asked, 'after a look that failed nobody looks for a second')
  passed = 10.1 * 60_000
  await assert.rejects(verifier.verify(key), VerificationUnavailable)
  passed += 1_001
  auth.answer = async () => good
  assert.equal((await verifier.verify(key)).id, good.serviceAccountId)
})

test('while nobody tells what changes a key is asked for every second, and a revoked one is not believed for longer', async (t) => {
  const { auth, verifier } = open({ connected: false })
  const { key } = createApiKey(randomUUID())
  let passed = 0
  const real = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => real() + passed)
  await verifier.verify(key)
  auth.answer = async () => undefined
  passed = 1_001
  await assert.rejects(verifier.verify(key), TokenInvalid)
})

test('looks are bounded: a flood of made-up keys ends at the bound, and what is known goes on', async () => {
  const { auth, verifier } = open({ maxLooks: 10 })
  const { key } = createApiKey(randomUUID())
  await verifier.verify(key)
  const never = Promise.withResolvers<ResolvedKey | undefined>()
  auth.answer = () => never.promise
  const flood = Array.from({ length: 30 }, () => verifier.verify(createApiKey(randomUUID()).key).catch((error: Error) => error))
  assert.ok(verifier.known(key))
  never.resolve(undefined)
  const ends = (await Promise.all(flood)).map((error) => (error as Error).name)
  assert.equal(ends.filter((name) => name === 'TokenInvalid').length, 10)
  assert.equal(ends.filter((name) => name === 'VerificationUnavailable').length, 20)
})
