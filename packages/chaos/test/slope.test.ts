import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthOf } from '../src/soak/slope.ts'

const run = (what: string, value: (minute: number) => number) =>
  growthOf(Array.from({ length: 40 }, (_, i) => ({ seconds: i * 30, values: new Map([[what, value(i / 2)]]) })))[0]

test('what rises steadily is told from what goes up and down', () => {
  const leak = run('auth.0 memory', (minute) => 90 + 2 * minute)
  assert.ok(leak && leak.last - leak.first > leak.most)
  const saw = run('auth.0 memory', (minute) => 90 + 15 * (minute % 3))
  assert.ok(saw && saw.last - saw.first <= saw.most)
})

test('one consumer more than at the beginning is one too many', () => {
  const growth = run('gatehouse-user consumers', (minute) => (minute < 10 ? 2 : 3))
  assert.ok(growth && growth.last - growth.first > growth.most)
})
