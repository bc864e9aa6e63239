import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { asGiven, unwrappedBy } from './unwrap-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'unwrap-'))
after(() => rmSync(folder, { recursive: true }))

/** A program of another team's. */
function program(name: string, text: string, interpreter = '/bin/sh'): string {
  const file = join(folder, name)
  writeFileSync(file, `#!${interpreter}\n${text}\n`)
  chmodSync(file, 0o700)
  return file
}
const env = { PATH: process.env.PATH, KMS_KEY: 'theirs' }

test('a program unwraps a key: base64 in, base64 out, with its own variables and none of ours', async () => {
  const key = randomBytes(32)
  const wrapped = Buffer.from([...key].reverse())
  // Their cipher, for the test: whoever knows the variable turns the bytes round.
  const theirs = `if (process.env.KMS_KEY !== 'theirs' || process.env.DATABASE_URL !== undefined || process.argv.length > 2) process.exit(1)
    const wrapped = Buffer.from(require('node:fs').readFileSync(0, 'utf8'), 'base64')
    console.log(wrapped.reverse().toString('base64'))`
  const file = program('kms.cjs', theirs, process.execPath)
  assert.deepEqual(Buffer.from(await unwrappedBy(file, env)(wrapped)), key)
  assert.deepEqual(await asGiven(key), key)
})

test('a program that fails, says nothing, too much or something else unwraps nothing, and what it said is not repeated', async () => {
  const secret = randomBytes(32).toString('base64')
  const failing = {
    fails: `echo ${secret}; echo ${secret} >&2; exit 3`,
    silent: 'exit 0',
    short: `echo ${randomBytes(16).toString('base64')}`,
    two: `echo ${secret}; echo ${secret}`,
    long: 'head -c 100000 /dev/zero',
    text: 'echo the key is not here',
  }
  for (const [name, line] of Object.entries(failing))
    await assert.rejects(unwrappedBy(program(name, line), env)(randomBytes(200)), (error: Error) => {
      assert.match(error.message, /did not (unwrap a key|answer 32 bytes)/)
      assert.ok(!error.message.includes(secret.slice(0, 8)) && error.cause === undefined, name)
      return true
    })
  await assert.rejects(unwrappedBy(join(folder, 'nowhere'), env)(randomBytes(32)), /nowhere did not unwrap a key \(ENOENT\)/)
})
