import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { latest } from './latest.ts'

test('a secret in a file is read again, and a file that is gone or empty changes nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'latest-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  const file = join(folder, 'secret')
  writeFileSync(file, 'first\n')
  const secret = latest('TOKEN', 'first', { TOKEN_FILE: file })
  assert.equal(secret(), 'first')
  writeFileSync(file, 'second\n')
  assert.equal(secret(), 'first')
  const later = () => {
    nowMs += 1_001
    return secret()
  }
  assert.equal(later(), 'second')
  writeFileSync(file, '')
  assert.equal(later(), 'second')
  rmSync(file)
  assert.equal(later(), 'second')
  writeFileSync(file, 'third')
  assert.equal(later(), 'third')
})

test('a secret in the environment stays what it is', () => {
  assert.equal(latest('TOKEN', 'given', { TOKEN: 'given' })(), 'given')
})
