import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code, createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type Attributes, type Counter, type Meter, type MeterProvider, metrics } from '@opentelemetry/api'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor } from './grpc/door-for-tests.ts'
import { overloaded } from './overloaded.ts'

const counted: string[] = []
const counter: Counter = { add: (count, attributes?: Attributes) => void counted.push(`${attributes?.what} ${count}`) }
const provider: MeterProvider = {
  getMeter: () => ({ createCounter: () => counter, createHistogram: () => ({ record() {} }) }) as unknown as Meter,
}

before(() => void metrics.setGlobalMeterProvider(provider))
after(() => metrics.disable())

test('what a door sheds is counted by what there was too much of, from nothing on', async () => {
  await using door = await openTestDoor({ user: { getUser: () => ({}) }, door: { maxCalls: 0 } })
  assert.deepEqual(counted.splice(0), ['calls 0', 'streams 0'])
  await using transport = peerTransport({ target: 'user', url: door.url })
  const call = createClient(UserService, transport).getUser({ id: ADA }, { timeoutMs: 500 })
  await assert.rejects(call, { code: Code.ResourceExhausted })
  assert.equal(counted[0], 'calls 1')
  counted.length = 0
})

test('a refusal for want of room says when to come back', () => {
  assert.equal(overloaded('hashes').retryAfterSeconds, 1)
  assert.deepEqual(counted.splice(0), ['hashes 1'])
})
