import { generate } from 'lean-qr'
import { toSvgSource } from 'lean-qr/extras/svg'
import { Secret, TOTP } from 'otpauth'
import { confirmTotp as confirm, deleteTotp, findTotp, putUnconfirmedTotp, type TotpFactorRow, takeStep } from '../../store/totp-factors.ts'
import type { Db, Deps } from '../deps.ts'
import { seal } from '../keys/sealed-box.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { changeFactors, type FactorOwner } from './change-factors.ts'
import { makeRecoveryCodesIfNone } from './recovery-codes.ts'
import type { FactorCheck, ShownFactor } from './shown-factor.ts'
import { forgetWrongCodes, takeGuess } from './wrong-codes.ts'

/** RFC 6238 as every authenticator app knows it: SHA-1, six digits, thirty seconds. */
const periodSeconds = 30
/** A code of the step before or after is taken: clocks differ, people type slowly. */
const windowSteps = 1
const secretBytes = 20
const confirmWithinMs = 10 * 60_000
const brand = 'Gatehouse'

/** Where the secret of a person is kept; part of what its box is bound to. */
export const placeOfTotp = (tenant: string, userId: string) => `TOTP secret of ${userId} of tenant ${tenant}`

/** What an authenticator app needs. */
export interface TotpSetup {
  /** Base32 without padding. */
  readonly secret: string
  readonly uri: string
  readonly qrSvg: string
  readonly expireTime: Date
}

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Makes a secret that does not count until a code of it was shown. */
export async function beginTotp(deps: Deps, owner: FactorOwner): Promise<TotpSetup> {
  const { tenant, userId } = owner
  const person = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  return await changeFactors(deps, owner, async (tx, _, policy) => {
    requireAllowed(policy, 'totp')
    return { result: await setUpTotp(tx, deps, owner, person?.email ?? '') }
  })
}

/** A new secret in the place of one that was not confirmed, within the caller's transaction. */
export async function setUpTotp(tx: Db, deps: Pick<Deps, 'keys' | 'now'>, person: Person, label: string): Promise<TotpSetup> {
  const { tenant, userId } = person
  const secret = new Secret({ size: secretBytes })
  const createTime = new Date(deps.now())
  const expireTime = new Date(createTime.getTime() + confirmWithinMs)
  const box = seal(deps.keys.encryptionKey, secret.bytes, placeOfTotp(tenant, userId))
  if (!(await putUnconfirmedTotp(tx, { tenant, userId, secret: box, createTime, expireTime }))) throw refuse(ErrorReason.FACTOR_EXISTS)
  const uri = totpOf(secret.bytes, label).toString()
  return { secret: secret.base32, uri, qrSvg: toSvgSource(generate(uri), { xmlDeclaration: false }), expireTime }
}

/** The app counts from now on. Answers recovery codes for whoever has none. */
export async function confirmTotp(deps: Deps, owner: FactorOwner, code: string): Promise<string[]> {
  const confirmed = await checkFirstCode(deps, owner, code)
  return await changeFactors(deps, owner, async (tx, held, policy) => {
    requireAllowed(policy, 'totp')
    await confirmed(tx)
    return { result: await makeRecoveryCodesIfNone(tx, deps, owner, { held, policy }), changed: 'totp_added' }
  })
}

/** Refuses a code that is not of the secret that waits for its first; answers what makes the secret count, within a transaction. */
export async function checkFirstCode(deps: Pick<Deps, 'db' | 'keys' | 'now'>, person: Person, code: string) {
  const row = await findTotp(deps.db, person)
  if (!row || row.confirm_time !== null || row.expire_time.getTime() <= deps.now()) throw refuse(ErrorReason.FACTOR_NOT_FOUND)
  const step = stepOf(deps, row, code)
  if (step === undefined) throw refuse(ErrorReason.FACTOR_WRONG)
  return async (tx: Db): Promise<void> => {
    const time = new Date(deps.now())
    if (!(await confirm(tx, { ...person, secret: row.secret, step, time }))) throw refuse(ErrorReason.FACTOR_NOT_FOUND)
  }
}

/** Takes the app away. The same again changes nothing. */
export async function removeTotp(deps: Deps, owner: FactorOwner): Promise<void> {
  await changeFactors(deps, owner, async (tx) => {
    const removed = await deleteTotp(tx, owner)
    return { result: undefined, ...(removed && { changed: 'totp_removed' as const }) }
  })
}

/** A code of the app, shown by somebody who is halfway in. */
export async function showTotp(deps: Deps, check: FactorCheck, code: string): Promise<ShownFactor | undefined> {
  const { tenant, userId } = check
  await takeGuess(deps, check)
  const row = await findTotp(deps.db, check)
  const step = row && row.confirm_time !== null ? stepOf(deps, row, code) : undefined
  if (!row || step === undefined || row.last_step >= BigInt(step)) return undefined
  return {
    methods: ['otp'],
    forgetWrong: () => forgetWrongCodes(deps, check),
    use: (tx) => takeStep(tx, { tenant, userId, secret: row.secret, step, time: new Date(deps.now()) }),
  }
}

/** The time step whose code it is; undefined where it is none of those around now. */
function stepOf(deps: Pick<Deps, 'keys' | 'now'>, row: TotpFactorRow, code: string): number | undefined {
  const now = deps.now()
  const secret = deps.keys.unseal(row.secret, placeOfTotp(row.tenant, row.user_id))
  const delta = totpOf(secret, '').validate({ token: code, timestamp: now, window: windowSteps })
  return delta === null ? undefined : Math.floor(now / 1000 / periodSeconds) + delta
}

function totpOf(secret: Uint8Array, label: string): TOTP {
  return new TOTP({
    issuer: brand,
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: periodSeconds,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
  })
}
