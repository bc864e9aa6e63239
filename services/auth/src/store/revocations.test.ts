import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { openDeps } from '../../test/open-deps.ts'
import { insertRevocations, listRevocations } from './revocations.ts'

test('however many sessions end at once, each of them is noted, and twice is fine', async () => {
  await using opened = await openDeps()
  const { db } = opened.deps
  const forgetTime = new Date('2030-01-31T12:00:00.123Z')
  const rows = Array.from({ length: 25_000 }, () => ({ tenant: 'default', session_id: randomUUID(), forget_time: forgetTime }))
  await insertRevocations(db, rows)
  await insertRevocations(db, rows.slice(0, 2))
  await insertRevocations(db, [])
  const noted = await listRevocations(db, { from: new Date(0), limit: 30_000 })
  assert.deepEqual(noted.map((row) => row.session_id).sort(), rows.map((row) => row.session_id).sort())
  assert.deepEqual(noted[0]?.forget_time, forgetTime)
})
