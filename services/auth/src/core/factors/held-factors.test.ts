import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { Strength } from '@gatehouse/identity'
import type { HeldFactors } from '../../store/factors.ts'
import { factorsToward } from './held-factors.ts'

const held: HeldFactors = { password: true, totp: true, passkeys: [], recoveryCodes: 10 }
const toTwo = (...shown: string[]) => factorsToward(Strength.TWO_FACTORS, shown, held)

test('of two factors either may come first, and the second is one that ends it', () => {
  assert.deepEqual(toTwo(), [Factor.TOTP, Factor.RECOVERY_CODE, Factor.PASSWORD])
  assert.deepEqual(toTwo('pwd'), [Factor.TOTP, Factor.RECOVERY_CODE])
})

test('whoever has shown the app is not asked for a recovery code beside it: it would be used up for nothing', () => {
  assert.deepEqual(toTwo('otp'), [Factor.PASSWORD])
  assert.deepEqual(toTwo('rcv'), [Factor.PASSWORD])
})

test('what leads nowhere is not asked for', () => {
  assert.deepEqual(factorsToward(Strength.PHISHING_RESISTANT, ['pwd'], held), [])
  assert.deepEqual(factorsToward(Strength.TWO_FACTORS, [], { ...held, password: false }), [])
})
