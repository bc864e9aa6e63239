import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import {
  type RequestPasswordResetRequest,
  RequestPasswordResetRequestSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { type MacKeys, macKeys, repeated } from '@gatehouse/rpc'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import { requestPasswordReset } from '../src/core/accounts/request-password-reset.ts'
import { prove } from '../src/core/challenges/prove.ts'
import { revealSecret } from '../src/core/challenges/reveal-secret.ts'
import { derivedOf, keyOfState, newState } from '../src/core/connections/derived.ts'
import type { Deps } from '../src/core/deps.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { closePassword, counted } from '../src/core/passwords/attempts.ts'
import { deviceToken, knownDevice } from '../src/core/sessions/known-device.ts'
import { trustedDevice, trustToken } from '../src/core/sessions/trusted-device.ts'
import { testProvider } from './oidc-provider-for-tests.ts'
import { newId } from './oidc-scene.ts'
import { type OpenedDeps, openDeps } from './open-deps.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

const tenant = 'default'
const [one, other] = ['kP3x9vQ2', 'mT7w4zR8'].map((text) => Buffer.alloc(32, text).toString('base64')) as [string, string]

/** How replicas are configured, round after round. */
const rounds = { before: macKeys(one), first: macKeys(one, other), second: macKeys(other, one), after: macKeys(other) }

let opened: OpenedDeps
let deps: Deps
let sessionId: string
let email: string
before(async () => {
  opened = await openDeps()
  deps = opened.deps
  const person = await somebody(opened)
  email = person.email
  sessionId = (await signSomebodyIn(deps, person)).session?.id ?? ''
})
after(() => opened[Symbol.asyncDispose]())

const replicaWith = (keys: MacKeys): Deps => ({ ...deps, challengeKeys: keys, requestKeys: keys })

/** What one replica makes and the other has to know again; each answers whether it does. */
const known: Readonly<Record<string, (maker: Deps, reader: Deps) => Promise<boolean> | boolean>> = {
  async 'a code of a mail'(maker, reader) {
    const { challengeId, mail } = await mailBy(maker)
    const proof = { case: 'code', value: mail.code } as const
    return await isDone(prove(reader, { tenant, purpose: 'reset_password', challengeId, proof }))
  },
  async 'a mail that is sent again'(maker, reader) {
    const { challengeId, deliveryId, mail } = await mailBy(maker)
    const again = await revealSecret(reader, { tenant, challengeId, deliveryId }).catch(() => undefined)
    const token = { case: 'token', value: again?.token ?? '' } as const
    return again?.code === mail.code && (await isDone(prove(reader, { tenant, purpose: 'reset_password', challengeId, proof: token })))
  },
  async 'a request that comes again'(maker, reader) {
    const request = newRequest()
    const first = await askBy(maker, request)
    return (await askBy(reader, request).catch(() => undefined)) === first
  },
  async 'a cookie of a browser'(maker, reader) {
    const cookie = createOidcActs(maker).sessions.cookieOf(tenant, sessionId, 0)
    return (await createOidcActs(reader).sessions.findByCookie(tenant, cookie)) !== undefined
  },
  'the name of a session at a client'(maker, reader) {
    const sid = createOidcActs(maker).sessions.sidOf(tenant, sessionId, 'app')
    return createOidcActs(reader).sessions.sidsOf(tenant, sessionId, 'app').includes(sid)
  },
  async 'a code that somebody types for a device'(maker, reader) {
    const userCode = newId().slice(0, 8)
    await createOidcActs(maker).records.save(tenant, 'DeviceCode', newId(), { userCode }, 60)
    return (await createOidcActs(reader).records.findByUserCode(tenant, userCode)) !== undefined
  },
  async 'a handle of a record'(maker, reader) {
    const userCode = newId().slice(0, 8)
    const { records } = createOidcActs(maker)
    await records.save(tenant, 'DeviceCode', newId(), { userCode }, 60)
    const handle = String((await records.findByUserCode(tenant, userCode))?.jti)
    return (await createOidcActs(reader).records.find(tenant, 'DeviceCode', handle, { refs: true })) !== undefined
  },
  'a nonce of a proof'(maker, reader) {
    return noncesOf(reader).checkChallenge(noncesOf(maker).nextChallenge())
  },
  'a sign-in that is elsewhere'({ challengeKeys: { current } }, { challengeKeys }) {
    const state = newState(current)
    return derivedOf(keyOfState(challengeKeys, state), tenant, state).verifier === derivedOf(current, tenant, state).verifier
  },
  'a device that somebody signed in from'(maker, reader) {
    const owner = { tenant, userId: randomUUID(), credentialVersion: 1 }
    return knownDevice(reader, owner, deviceToken(maker, owner, '')) !== undefined
  },
  'a device that somebody trusts'(maker, reader) {
    const truster = { tenant, userId: randomUUID(), credentialVersion: 1, factorVersion: 1, epoch: 1 }
    return trustedDevice(reader, truster, trustToken(maker, truster, '').token, { trustedDeviceDays: 7 }) !== undefined
  },
  async 'a password that was closed'(maker, reader) {
    const person = { tenant, email: `${randomUUID()}@example.com`, userId: randomUUID() }
    await closePassword(maker.db, maker, person)
    const guesser = { ...person, source: '192.0.2.7', deviceId: undefined }
    return !(await isDone(counted(reader, guesser, async () => {})))
  },
}

const providers = new Map<MacKeys, ReturnType<typeof testProvider>>()

function noncesOf({ challengeKeys }: Deps) {
  const made = providers.get(challengeKeys) ?? testProvider({ challengeKeys })
  providers.set(challengeKeys, made)
  return instance(made.provider).DPoPNonces
}

async function unknown(maker: MacKeys, reader: MacKeys): Promise<string[]> {
  const names: string[] = []
  for (const [name, isKnown] of Object.entries(known)) if (!(await isKnown(replicaWith(maker), replicaWith(reader)))) names.push(name)
  return names
}

for (const [former, latter] of [
  ['before', 'first'],
  ['first', 'second'],
  ['second', 'after'],
] as const)
  test(`while the round ${latter} follows on ${former}, each replica knows what the other makes`, async () => {
    assert.deepEqual(await unknown(rounds[former], rounds[latter]), [])
    assert.deepEqual(await unknown(rounds[latter], rounds[former]), [])
  })

test('without rounds nothing of what is out is known', async () => {
  assert.deepEqual(await unknown(rounds.before, rounds.after), Object.keys(known))
})

test('another request under a known id is refused under either key', async () => {
  const request = newRequest()
  await askBy(replicaWith(rounds.first), request)
  const changed = { ...request, email: 'another@example.com' }
  await assert.rejects(askBy(replicaWith(rounds.second), changed), { name: 'RequestIdReused' })
})

test('a code is right under the key of its own mail alone', async () => {
  const { challengeId } = await mailBy(replicaWith(rounds.first))
  const ofOtherKey = await mailBy(replicaWith(rounds.second))
  const proof = { case: 'code', value: ofOtherKey.mail.code } as const
  assert.equal(await isDone(prove(replicaWith(rounds.second), { tenant, purpose: 'reset_password', challengeId, proof })), false)
})

const newRequest = () => create(RequestPasswordResetRequestSchema, { email, requestId: randomUUID() })

function askBy(replica: Deps, request: RequestPasswordResetRequest): Promise<string> {
  const retry = { requestId: request.requestId, ...repeated(RequestPasswordResetRequestSchema, request, replica.requestKeys) }
  return requestPasswordReset(replica, { tenant, email: request.email, retry, withheld: false })
}

async function mailBy(replica: Deps) {
  const challengeId = await askBy(replica, newRequest())
  const deliveryId = randomUUID()
  return { challengeId, deliveryId, mail: await revealSecret(replica, { tenant, challengeId, deliveryId }) }
}

const isDone = (act: Promise<unknown>): Promise<boolean> =>
  act.then(
    () => true,
    () => false,
  )
