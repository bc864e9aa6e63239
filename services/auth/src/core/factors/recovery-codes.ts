import { createHash, randomInt } from 'node:crypto'
import { Strength } from '@gatehouse/identity'
import { type HeldFactors, nextFactorVersion } from '../../store/factors.ts'
import { hasRecoveryCode, replaceRecoveryCodes, takeRecoveryCode } from '../../store/recovery-codes.ts'
import type { Db, Deps } from '../deps.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import type { WholePolicy } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { changeFactors, type FactorOwner, tellChange } from './change-factors.ts'
import { neededOf } from './held-factors.ts'
import type { FactorCheck, ShownFactor } from './shown-factor.ts'
import { forgetWrongCodes } from './wrong-codes.ts'

/** Letters and digits that are not taken for each other (Crockford's base 32). */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const codesOfPerson = 10
const groups = 4
const lettersOfGroup = 4

/** A code of 80 bits: `1x2c-9wq0-…`. */
function makeCode(): string {
  const group = () => Array.from({ length: lettersOfGroup }, () => alphabet[randomInt(alphabet.length)]).join('')
  return Array.from({ length: groups }, group).join('-')
}

/** What the store knows of a code, however it was typed. With 80 random bits a fast hash is enough. */
function hashOf({ tenant, userId }: { tenant: string; userId: string }, code: string): Uint8Array {
  const letters = code.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1')
  return createHash('sha256').update(`recovery code\0${tenant}\0${userId}\0${letters}`).digest()
}

/** Ten new codes, within the caller's transaction; those before are void. */
async function makeCodes(tx: Db, deps: Pick<Deps, 'now'>, person: { tenant: string; userId: string }): Promise<string[]> {
  const codes = Array.from({ length: codesOfPerson }, makeCode)
  await replaceRecoveryCodes(tx, { ...person, hashes: codes.map((code) => hashOf(person, code)), time: new Date(deps.now()) })
  return codes
}

/** Codes for somebody who just got a second factor and has none, where the tenant has them; else nothing. */
export async function makeRecoveryCodesIfNone(
  tx: Db,
  deps: Pick<Deps, 'now'>,
  person: { tenant: string; userId: string },
  { held, policy }: { held: HeldFactors; policy: WholePolicy },
): Promise<string[]> {
  return held.recoveryCodes > 0 || !policy.factors.recoveryCode ? [] : await makeCodes(tx, deps, person)
}

/** New codes in place of the old ones. Without a second factor they would replace nothing. */
export async function makeRecoveryCodes(deps: Deps, owner: FactorOwner): Promise<string[]> {
  return await changeFactors(deps, owner, async (tx, held, policy) => {
    requireAllowed(policy, 'recoveryCode')
    if (neededOf(held) < Strength.TWO_FACTORS) throw refuse(ErrorReason.STRENGTH_OUT_OF_REACH)
    return { result: await makeCodes(tx, deps, owner), changed: 'recovery_codes_made' }
  })
}

/** A recovery code, shown by somebody who is halfway in. The person is told that one is gone. */
export async function showRecoveryCode(deps: Deps, check: FactorCheck, code: string): Promise<ShownFactor | undefined> {
  const key = { ...check, hash: hashOf(check, code) }
  if (!(await hasRecoveryCode(deps.db, key))) return undefined
  return {
    methods: ['rcv'],
    forgetWrong: () => forgetWrongCodes(deps, check),
    async use(tx) {
      if (!(await takeRecoveryCode(tx, key))) return false
      await tellChange(tx, check, { version: await nextFactorVersion(tx, check), change: 'recovery_code_used' })
      return true
    },
  }
}
