import { findPasskeyByCredential, type PasskeyRow, recordPasskeyUse } from '../../store/passkeys.ts'
import type { Db, Deps } from '../deps.ts'
import { PasskeyProblem } from './passkey-problem.ts'
import { readAssertion } from './read-answer.ts'
import { relyingPartyOf } from './relying-party.ts'
import { tellCloned } from './tell-cloned.ts'
import { type Assertion, verifyAssertion } from './verify-assertion.ts'

export interface PasskeyCheck {
  readonly tenant: string
  readonly challenge: Uint8Array
  /** Whose passkey it has to be; undefined where the passkey itself says who comes. */
  readonly userId?: string
}

/** A passkey that answered as it should. */
export interface CheckedPasskey {
  readonly passkey: PasskeyRow
  readonly assertion: Assertion
}

type CheckDeps = Pick<Deps, 'db' | 'limits' | 'log' | 'now' | 'committed'>

/** Checks what somebody shows; undefined where it is wrong in any way, which the log tells apart. */
export async function checkPasskey(deps: CheckDeps, check: PasskeyCheck, json: string): Promise<CheckedPasskey | undefined> {
  try {
    return await checked(deps, check, json)
  } catch (error) {
    if (!(error instanceof PasskeyProblem)) throw error
    deps.log.info({ tenant: check.tenant, why: error.message }, 'passkey refused')
    return undefined
  }
}

async function checked(deps: CheckDeps, { tenant, challenge, userId }: PasskeyCheck, json: string): Promise<CheckedPasskey> {
  const answer = readAssertion(json)
  const passkey = await findPasskeyByCredential(deps.db, { tenant, credentialId: Buffer.from(answer.id, 'base64url') })
  if (passkey === undefined) throw new PasskeyProblem('it is unknown')
  if (userId !== undefined && passkey.user_id !== userId) throw new PasskeyProblem('it is another person’s')
  // Level 3, 7.2 step 6: where nobody was named before, the passkey has to name somebody.
  if (userId === undefined && answer.response.userHandle === undefined) throw new PasskeyProblem('it names nobody')
  const assertion = await verifyAssertion({ relyingParty: await relyingPartyOf(deps.db, tenant), challenge }, answer, passkey)
  if (countsBackwards(passkey, assertion)) {
    await tellCloned(deps, passkey)
    throw new PasskeyProblem('it counts backwards')
  }
  return { passkey, assertion }
}

/** Level 3, 6.1.1: with a counter at all, the next is greater. Passkeys that are on several devices count nothing. */
function countsBackwards(passkey: PasskeyRow, { signCount }: Assertion): boolean {
  const before = Number(passkey.sign_count)
  return (before > 0 || signCount > 0) && signCount <= before
}

/** Uses the passkey within the transaction that makes something of it; `false` where it was removed, has counted as far, or was held back, meanwhile. */
export async function usePasskey(
  tx: Db,
  deps: Pick<Deps, 'now'>,
  { passkey, assertion }: CheckedPasskey,
  { alone }: { alone: boolean },
): Promise<boolean> {
  return await recordPasskeyUse(tx, { ...passkey, ...assertion, time: new Date(deps.now()), alone })
}
