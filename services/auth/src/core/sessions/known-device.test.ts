import assert from 'node:assert/strict'
import { test } from 'node:test'
import { macKeys } from '@gatehouse/rpc'
import { deviceToken, knownDevice } from './known-device.ts'

let now = Date.UTC(2026, 0, 1)
const keysOf = (byte: number) => macKeys(Buffer.alloc(32, byte).toString('base64'))
const deps = { challengeKeys: keysOf(1), now: () => now }
const ada = { tenant: 'default', userId: '01890000-0000-7000-8000-000000000001', credentialVersion: 3 }
const bob = { ...ada, userId: '01890000-0000-7000-8000-000000000002', credentialVersion: 1 }

test('a device is known to its person, of its tenant, with this password and key', () => {
  const token = deviceToken(deps, ada, '')
  const id = knownDevice(deps, ada, token)
  assert.match(id ?? '', /^[0-9a-f]{32}$/)
  for (const owner of [bob, { ...ada, tenant: 'other' }, { ...ada, credentialVersion: 4 }])
    assert.equal(knownDevice(deps, owner, token), undefined)
  assert.equal(knownDevice({ ...deps, challengeKeys: keysOf(2) }, ada, token), undefined)
  assert.equal(knownDevice(deps, ada, deviceToken(deps, ada, token)), id)
})

test('no changed token is known', () => {
  const token = deviceToken(deps, ada, '')
  for (let at = 4; at < token.length; at++) {
    const other = token[at] === 'A' ? 'B' : 'A'
    assert.equal(knownDevice(deps, ada, token.slice(0, at) + other + token.slice(at + 1)), undefined, String(at))
  }
  for (const nonsense of ['', '.', 'ghd_', 'ghd_x', `${token}x`, token.slice(0, -1), `x${token}`, '\u0000'.repeat(50)])
    assert.equal(knownDevice(deps, ada, nonsense), undefined)
})

test('a browser that several people use knows them all', () => {
  const both = deviceToken(deps, bob, deviceToken(deps, ada, ''))
  assert.ok(knownDevice(deps, ada, both))
  assert.ok(knownDevice(deps, bob, both))
  const people = Array.from({ length: 6 }, (_, at) => ({ ...ada, userId: `person ${at}` }))
  const all = people.reduce((kept, person) => deviceToken(deps, person, kept), '')
  assert.deepEqual(
    people.map((person) => knownDevice(deps, person, all) !== undefined),
    [false, false, true, true, true, true],
  )
  assert.ok(all.length <= 256)
})

test('a device is forgotten a year after its last sign-in', () => {
  const token = deviceToken(deps, ada, '')
  now += 364 * 86_400_000
  const again = deviceToken(deps, ada, token)
  assert.ok(knownDevice(deps, ada, token))
  now += 2 * 86_400_000
  assert.equal(knownDevice(deps, ada, token), undefined)
  assert.ok(knownDevice(deps, ada, again))
})
