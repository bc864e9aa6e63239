import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from '../src/history.ts'
import { waitingCalls } from '../src/scenarios/broker-cluster.ts'

const took = (op: string, ms: number): Operation => ({
  worker: 'w',
  op,
  id: op,
  args: {},
  attempts: [
    { invoked: 100, answered: 100 + ms },
    { invoked: 200 + ms, answered: 210 + ms },
  ],
})

test('a call that waited as long as brokers choose a leader is found', () => {
  const [found, ...more] = waitingCalls([took('update-user', 40), took('refresh', 9_000)])
  assert.deepEqual([found?.rule, found?.evidence, more], ['cluster-wait', ['refresh refresh took 9000 ms from 100 on'], []])
})

test('a busy machine that hashes a password is no broker that is waited for', () => {
  assert.deepEqual(waitingCalls([took('verify-email', 9_000), took('refresh', 900)]), [])
})
