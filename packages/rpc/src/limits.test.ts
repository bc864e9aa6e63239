import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { connect, type Database, postgresLimits, sharedMigrations } from '@gatehouse/postgres'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { type Call, callOf } from './call.ts'
import { forTenant } from './client/call-options.ts'
import { type PeerTransport, peerTransport } from './client/peer-transport.ts'
import { complete, openTestDoor, type TestDoor } from './grpc/door-for-tests.ts'
import type { LimitCharge, LimitStore } from './limit-store.ts'
import { compileFieldLimitKeys } from './limits.ts'
import { reasonOf } from './peer-error.ts'

let database: TestDatabase
let db: Database<unknown>
let store: ReturnType<typeof postgresLimits>
let charges: LimitCharge[][] = []
let calls: Call[] = []
let door: TestDoor
let replica: TestDoor
let transport: PeerTransport
let toReplica: PeerTransport
let address = 0

// Windows start at multiples of an hour; a test that saw the next one begin would count too little.
const WINDOW_MS = 3_600_000
const NEEDED_MS = 15_000

before(async () => {
  const left = WINDOW_MS - (Date.now() % WINDOW_MS)
  if (left < NEEDED_MS) await delay(left)
  database = await testDatabase({ service: 'auth', sets: [sharedMigrations] })
  db = connect({ url: database.url, poolSize: 10, namedStatements: true, applicationName: 'rpc-test' })
  store = postgresLimits(db.kysely)
  const limits: LimitStore = {
    take(taken) {
      charges.push([...taken])
      return store.take(taken)
    },
  }
  const seen = (_request: unknown, context: Parameters<typeof callOf>[0]) => {
    calls.push(callOf(context))
    return {}
  }
  const open = () =>
    openTestDoor({
      more: [
        [
          AccountService,
          complete(AccountService.method, { signUp: seen, requestPasswordReset: seen, requestEmailChange: seen, resendVerification: seen }),
        ],
      ],
      pipeline: { limits },
    })
  door = await open()
  replica = await open()
  transport = peerTransport({ target: 'auth', url: door.url })
  toReplica = peerTransport({ target: 'auth', url: replica.url })
})
beforeEach(() => {
  charges = []
  calls = []
  address += 1
})
after(async () => {
  await transport[Symbol.asyncDispose]()
  await toReplica[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
  await replica[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
  await database.dispose()
})

const email = () => `person${address}@example.com`
const signUp = (by: PeerTransport, as = email(), options = {}) =>
  createClient(AccountService, by).signUp({ email: as, name: 'Ada', password: 'x'.repeat(15) }, options)
const reasonsOf = (outcomes: PromiseSettledResult<unknown>[]) =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : (reasonOf(outcome.reason) ?? String(outcome.reason))))

describe('a limit by a field', () => {
  // SignUp: 10 an hour for an address, more for a source
  test('is exact in a burst over two replicas', async () => {
    const burst = Array.from({ length: 30 }, (_, index) => signUp(index % 2 === 0 ? transport : toReplica))
    const reasons = reasonsOf(await Promise.allSettled(burst))
    assert.equal(reasons.filter((reason) => reason === 'ok').length, 10)
    assert.equal(reasons.filter((reason) => reason === 'LIMIT_EXCEEDED').length, 20)
    assert.equal(calls.length, 10)
  })

  test('counts an address in all its spellings, and another address apart', async () => {
    const spellings = [email(), email().toUpperCase(), ` ${email()} `, email().replace('example', 'ＥＸＡＭＰＬＥ')]
    for (let call = 0; call < 10; call += 1) await signUp(transport, spellings[call % spellings.length])
    await assert.rejects(signUp(transport), (error) => reasonOf(error) === 'LIMIT_EXCEEDED')
    await signUp(transport, `other-${email()}`)
  })

  test('counts an id in either letter case as one', async () => {
    // ResendVerification: 5 an hour for a challenge, silently
    const challengeId = '0190a0de-abcd-7000-8000-00000000abcd'
    const spellings = [challengeId, challengeId.toUpperCase(), challengeId.replace('abcd', 'aBcD')]
    const resend = (id: string) => createClient(AccountService, transport).resendVerification({ challengeId: id })
    for (let call = 0; call < 7; call += 1) await resend(spellings[call % spellings.length] ?? '')
    assert.deepEqual(
      calls.map(({ withheld }) => withheld),
      [false, false, false, false, false, true, true],
    )
  })

  test('counts each tenant apart', async () => {
    const workload = (tenant: string) => ({ headers: { 'gatehouse-workload': 'auth', ...forTenant(tenant).headers } })
    for (let call = 0; call < 10; call += 1) await signUp(transport, email(), workload('acme'))
    await assert.rejects(signUp(transport, email(), workload('acme')), (error) => reasonOf(error) === 'LIMIT_EXCEEDED')
    await signUp(transport, email(), workload('other'))
  })

  test('says when to come back', async () => {
    await Promise.allSettled(Array.from({ length: 10 }, () => signUp(transport)))
    await assert.rejects(signUp(transport), (error: ConnectError) => {
      assert.equal(error.code, Code.ResourceExhausted)
      const [retry] = error.findDetails(RetryInfoSchema)
      const seconds = Number(retry?.retryDelay?.seconds ?? 0n)
      assert.ok(seconds >= 1 && seconds <= 3600, String(seconds))
      return true
    })
  })

  test('can be forgotten for whoever proved to be the owner', async () => {
    await Promise.allSettled(Array.from({ length: 10 }, () => signUp(transport)))
    for (const key of compileFieldLimitKeys(AccountService.method.signUp, 'email')(email())) await store.reset(key, 'default')
    await signUp(transport)
  })

  test('counts only requests that are valid', async () => {
    for (let call = 0; call < 3; call += 1) {
      await assert.rejects(signUp(transport, 'no address'), (error) => reasonOf(error) === 'INVALID_REQUEST')
    }
    assert.deepEqual(charges, [])
  })

  test('takes all charges of a call at once, by source without a tenant', async () => {
    await signUp(transport)
    assert.equal(charges.length, 1)
    assert.deepEqual(
      charges[0]?.map(({ key, tenant }) => [key, tenant]),
      [
        ['gatehouse.auth.v1.AccountService/SignUp#0:127.0.0.1', ''],
        [`gatehouse.auth.v1.AccountService/SignUp#1:${email()}`, 'default'],
      ],
    )
  })
})

test('a silent limit is answered as usual and tells the handler to do nothing', async () => {
  // RequestPasswordReset: 5 an hour for an address, silently
  const ask = () => createClient(AccountService, transport).requestPasswordReset({ email: email() })
  for (let call = 0; call < 7; call += 1) await ask()
  assert.deepEqual(
    calls.map(({ withheld }) => withheld),
    [false, false, false, false, false, true, true],
  )
})

test('a limit by caller counts the person, wherever they call from', async () => {
  // RequestEmailChange: 10 an hour for a caller
  const ask = (by: PeerTransport, who: string) =>
    createClient(AccountService, by).requestEmailChange(
      { email: email(), password: 'x'.repeat(15) },
      { headers: { authorization: `Bearer ${who}` } },
    )
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => ask(index % 2 === 0 ? transport : toReplica, 'ada')))
  assert.equal(reasonsOf(outcomes).filter((reason) => reason === 'LIMIT_EXCEEDED').length, 2)
  await ask(transport, 'bob')
  await ask(transport, 'ada-of-acme')
})

test('a method without limits asks nobody', async () => {
  await assert.rejects(createClient(SessionService, transport).listSessions({}), (error) => reasonOf(error) === 'CREDENTIALS_MISSING')
  assert.deepEqual(charges, [])
})
