import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '@gatehouse/rpc'
import { createHashPool } from './hash-pool.ts'
import { verifyPassword } from './verify-password.ts'

test('hashes with Argon2id at the floor, salted', async () => {
  const pool = createHashPool()
  const [one, two] = await Promise.all([pool.hash('a password'), pool.hash('a password')])
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.notEqual(one, two)
})

test('compares exactly', async () => {
  const deps = { hashing: createHashPool() }
  const long = 'x'.repeat(72)
  const hash = await deps.hashing.hash(`${long}caf\u00E9 `)
  assert.equal(await verifyPassword(deps, hash, `${long}cafe\u0301 `), true)
  assert.equal(await verifyPassword(deps, hash, `${long}caf\u00E9`), false)
  assert.equal(await verifyPassword(deps, hash, `${long}Caf\u00E9 `), false)
  assert.equal(await verifyPassword(deps, hash, ''), false)
})

test('hashes for nobody too, and never finds nobody right', async () => {
  const seen: string[] = []
  const see = (encoded: string) => void seen.push(encoded)
  const hashing = {
    nobodys: createHashPool().nobodys,
    async verify(encoded: string) {
      see(encoded)
      return true
    },
    async refuse(encoded: string) {
      see(encoded)
      return false as const
    },
  }
  assert.equal(await verifyPassword({ hashing }, undefined, 'a password'), false)
  assert.equal(await verifyPassword({ hashing }, 'stored', 'a\u0000password'), false)
  assert.match(seen[0] ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(seen[1], 'stored')
})

test('lets a bounded number wait and refuses the rest at once', async () => {
  const pool = createHashPool({ running: 1, waiting: 2 })
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => pool.hash('a password')))
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  assert.equal(refused.length, 3)
  for (const error of refused) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.reason, 'OVERLOADED')
    assert.equal(error.retryAfterSeconds, 1)
  }
  assert.match(await pool.hash('a password'), /^\$argon2id/)
})

test('a call that is given up leaves the line and its place is free', async () => {
  const pool = createHashPool({ running: 1, waiting: 1 })
  const controller = new AbortController()
  const running = pool.hash('a password')
  const waiting = pool.hash('a password', controller.signal)
  controller.abort(new Error('given up'))
  await assert.rejects(waiting, /given up/)
  const next = pool.hash('a password')
  assert.match(await running, /^\$argon2id/)
  assert.match(await next, /^\$argon2id/)
  await assert.rejects(pool.hash('a password', controller.signal), /given up/)
})

test('while others wait, results leave as many at a time as still wait; the last leave alone', async () => {
  const pool = createHashPool({ running: 1, waiting: 8 })
  let settled = 0
  const left: number[] = []
  const hashes = Array.from({ length: 7 }, async () => {
    await pool.hash('a password')
    settled += 1
    await new Promise(setImmediate)
    left.push(settled)
  })
  await Promise.all(hashes)
  // The first three end while three more wait behind the one at work, the fifth while one does.
  assert.deepEqual(left, [3, 3, 3, 5, 5, 6, 7])
})
