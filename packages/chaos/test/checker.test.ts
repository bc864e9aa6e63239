import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '../src/checker/check.ts'
import type { Evidence } from '../src/checker/evidence.ts'
import { rules } from '../src/checker/rules.ts'
import type { Operation } from '../src/history.ts'
import { allIsWell } from './evidence-for-tests.ts'

const well = allIsWell()

/** Ada's state is changed at a time, or she tries to come in; `done` as it was answered. */
const about = (op: string, time: number, done: Record<string, string | number> | undefined): Operation => ({
  worker: 'w',
  op,
  id: `${op} ${time}`,
  args: { id: 'ada', userId: 'ada' },
  attempts: [
    {
      invoked: time,
      answered: time + 1,
      outcome: done ? { kind: 'done', result: done } : { kind: 'refused', code: 'unauthenticated', reason: 'EMAIL_OR_PASSWORD_WRONG' },
    },
  ],
})
const changed = { id: 'ada', version: 2, name: 'Ada' }
const suspended = about('suspend-user', 10, changed)
const reactivated = about('reactivate-user', 20, { ...changed, version: 3 })
const withAll = (...more: Operation[]): Partial<Evidence> => ({ operations: [...well.operations, ...more] })

/** What is wrong, the rule that has to see it, and the evidence that shows it. */
const wrongs: readonly (readonly [string, string, Partial<Evidence>])[] = [
  ['an outbox that never empties', 'settled', { unsettled: ['2 events wait in the outbox of user'] }],
  ['an acknowledged person who is not there', 'acknowledged-writes', { user: { ...well.user, users: well.user.users.slice(1) } }],
  ['a version that no event tells', 'whole-or-nothing', { user: { ...well.user, outbox: well.user.outbox.slice(0, 1) } }],
  ['a request whose result is not kept', 'request-ids', { user: { ...well.user, requests: [] } }],
  [
    'a read that is older than what was answered',
    'reads-see-writes',
    { operations: well.operations.map((each) => (each.op === 'read-user' ? { ...each, args: { ...each.args, atLeast: 2 } } : each)) },
  ],
  ['an event that the stream does not have', 'stream-has-all', { stream: well.stream.slice(1) }],
  [
    'a version behind a later one',
    'order-of-keys',
    { stream: [...well.stream, { service: 'user', sequence: 3, id: 'e9', type: 'T', key: 'ada', version: 0 }] },
  ],
  [
    'two relays that take turns in one epoch',
    'one-leader',
    {
      publications: Array.from({ length: 8 }, (_, i) => ({ id: `x${i}`, service: 'user', publisher: `p${i % 2}`, time: i })),
    },
  ],
  ['a lease that nobody keeps', 'calm-leases', { auth: { ...well.auth, epoch: 40 } }],
  [
    'a welcome that came twice',
    'one-effect',
    {
      notification: {
        ...well.notification,
        inbox_items: [...well.notification.inbox_items, { user_id: 'ada', kind: 'welcome', sequence: 3 }],
      },
    },
  ],
  ['an event that a consumer does not remember', 'inbox-remembers', { auth: { ...well.auth, inbox: [] } }],
  ['a delivered mail that nobody got', 'mails', { mails: [] }],
  [
    'a used-up token without its successor',
    'refresh-chain',
    { auth: { ...well.auth, refresh_tokens: well.auth.refresh_tokens.slice(0, 1) } },
  ],
  ['a suspension that no event tells', 'acknowledged-writes', withAll(about('suspend-user', 10, { ...changed, version: 1 }))],
  ['a session that goes on after a suspension', 'suspensions', withAll(suspended)],
  ['a refresh while somebody is suspended', 'suspensions', withAll(suspended, about('refresh', 12, { userId: 'ada' }), reactivated)],
  [
    'a door that stays closed to whoever is let back',
    'suspensions',
    withAll(suspended, reactivated, about('sign-in', 30, undefined), about('sign-in', 40, undefined)),
  ],
]

test('a house in which all went well has no violation', () => {
  assert.deepEqual(check(well), [])
})

for (const [wrong, rule, evidence] of wrongs) {
  test(`${wrong} is seen by ${rule}`, () => {
    const seen = check({ ...well, ...evidence })
    assert.ok(
      seen.some((violation) => violation.rule === rule),
      JSON.stringify(seen),
    )
  })
}

test('nobody knows how somebody stands whose suspension was not answered: no refresh and no refusal is held against it', () => {
  const unknown: Operation = { ...suspended, attempts: [{ invoked: 10 }] }
  const ended = { ...well.auth, sessions: well.auth.sessions.map((session) => ({ ...session, ended: true })) }
  const later = [about('refresh', 12, { userId: 'ada' }), reactivated, about('sign-in', 30, undefined), about('sign-in', 40, undefined)]
  const seen = check({ ...well, ...withAll(unknown, ...later), auth: ended })
  assert.deepEqual(
    seen.filter(({ rule }) => rule === 'suspensions'),
    [],
  )
})

test('every rule has something that it sees', () => {
  assert.deepEqual(
    rules.map(({ name }) => name).filter((name) => !wrongs.some(([, rule]) => rule === name)),
    [],
  )
})

test('whoever is let back and was never suspended is answered as they are', () => {
  const evidence = { ...well, ...withAll(about('reactivate-user', 20, { ...changed, version: 1 })) }
  assert.deepEqual(
    check(evidence).filter(({ rule }) => rule === 'acknowledged-writes'),
    [],
  )
})
