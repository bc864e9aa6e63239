import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NoPastTime, pastTime } from './point-in-time.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

test('a moment and a day are read, with the offset that they say', () => {
  for (const text of ['2026-02-28T12:00:00Z', '2026-02-28T12:00Z', '2026-02-28T12:00:00.000Z', '2026-02-28T13:00:00+01:00'])
    assert.equal(pastTime(text, now).toISOString(), '2026-02-28T12:00:00.000Z', text)
  assert.equal(pastTime('2026-02-28', now).toISOString(), '2026-02-28T00:00:00.000Z')
  assert.equal(pastTime('2026-03-01T12:00:00Z', now).getTime(), now)
})

test('what has not come yet is refused', () => {
  for (const text of ['2026-03-01T12:00:01Z', '2026-03-02', '2062-01-31T12:00:00Z', '9999-12-31'])
    assert.throws(() => pastTime(text, now), { name: 'NoPastTime', message: /has not come yet: it is 2026-03-01T12:00:00Z$/ }, text)
})

test('what is no moment is refused, also where JavaScript reads one', () => {
  for (const text of ['', '1', 'foo 1', 'yesterday', '2026', '2026-02', '31.01.2026', '2026-02-31', '2026-02-29T00:00:00Z', '2026-13-01'])
    assert.throws(() => pastTime(text, now), NoPastTime, text)
  for (const text of ['2026-02-28T12:00:00', '2026-02-28T25:00:00Z', '2026-02-28 12:00:00Z', '+012026-01-01', '-1'])
    assert.throws(() => pastTime(text, now), NoPastTime, text)
})
