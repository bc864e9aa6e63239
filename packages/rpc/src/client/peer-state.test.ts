import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { PeerState } from './peer-state.ts'

const dropped = () => new ConnectError('Connection dropped', Code.Unavailable)

/** A peer's state with a clock of its own, in milliseconds. */
function peer() {
  const lines: string[] = []
  const clock = { now: 0 }
  const say = (_fields: object, message: string) => void lines.push(message)
  const log = { debug: say, info: say, warn: say, error: say }
  return { lines, clock, state: new PeerState('auth', log, () => clock.now) }
}

test('streams that a door ended every five minutes, and that are there again at once, are no absence', () => {
  const { lines, clock, state } = peer()
  for (let time = 0; time < 3_600_000; time += 300_000) {
    clock.now = time
    for (const _stream of ['revocations', 'limits', 'access']) state.broken(dropped())
    clock.now += 200
    state.reached()
  }
  assert.deepEqual(lines, [])
})

test('streams that cannot be had for three seconds are an absence, told once', () => {
  const { lines, clock, state } = peer()
  for (; clock.now < 60_000; clock.now += 200) {
    state.broken(dropped())
    assert.equal(lines.length, clock.now < 3_000 ? 0 : 1)
  }
  state.reached()
  assert.deepEqual(lines, ['peer is away', 'peer is back'])
})

test('a call that failed with all its repetitions is an absence at once', () => {
  const { lines, state } = peer()
  state.broken(dropped())
  state.failed(dropped())
  assert.deepEqual(lines, ['peer is away'])
})
