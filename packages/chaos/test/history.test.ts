import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { acknowledged, History, readHistory } from '../src/history.ts'

test('what was called and answered is read again from the file, its torn end apart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-history-'))
  try {
    const file = join(folder, 'history.ndjson')
    using history = new History(file)
    const create = { worker: 'w', op: 'create-user', id: 'r1', args: { email: 'a@example.com' } }
    history.invoke(create)({ kind: 'unknown', code: 'unavailable', reason: '' })
    history.invoke(create)({ kind: 'done', result: { id: 'u1', version: 1 } })
    history.invoke({ worker: 'w', op: 'sign-in', id: 's1', args: {} })
    history.fault('kill -9 user.0')
    appendFileSync(file, '{"t":"answer","n":2')
    const read = readHistory(file)
    assert.deepEqual(read.operations, history.operations)
    assert.deepEqual(read.faults, history.faults)
    assert.deepEqual(read.operations.map(acknowledged), [{ id: 'u1', version: 1 }, undefined])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
