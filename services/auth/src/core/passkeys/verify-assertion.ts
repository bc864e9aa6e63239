import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { PasskeyRow } from '../../store/passkeys.ts'
import { type Ceremony, textOf, userHandleOf } from './ceremony.ts'
import { madeOnOwnPage } from './own-page.ts'
import { PasskeyProblem, withProblems } from './passkey-problem.ts'
import { webauthn } from './webauthn.ts'

/** What a passkey said of itself. */
export interface Assertion {
  readonly signCount: number
  readonly backedUp: boolean
}

/** Verifies that a passkey answered (WebAuthn Level 3, 7.2). What its counter means is the caller's business. */
export async function verifyAssertion(
  { relyingParty, challenge }: Ceremony,
  answer: AuthenticationResponseJSON,
  passkey: PasskeyRow,
): Promise<Assertion> {
  const { clientDataJSON, userHandle } = answer.response
  await madeOnOwnPage(clientDataJSON)
  if (userHandle !== undefined && userHandle !== textOf(userHandleOf(passkey.user_id))) throw new PasskeyProblem('it names another person')
  const { verifyAuthenticationResponse } = await webauthn()
  const { verified, authenticationInfo } = await withProblems(() =>
    verifyAuthenticationResponse({
      response: answer,
      expectedChallenge: textOf(challenge),
      expectedOrigin: relyingParty.origin,
      expectedRPID: relyingParty.id,
      requireUserVerification: true,
      // A counter of 0 has the library judge none: a copy is to be told from a fault, and only where the signature is right.
      credential: { id: answer.id, publicKey: Uint8Array.from(passkey.public_key), counter: 0 },
    }),
  )
  if (!verified) throw new PasskeyProblem('its signature does not verify')
  const { credentialDeviceType, credentialBackedUp, newCounter } = authenticationInfo
  if ((credentialDeviceType === 'multiDevice') !== passkey.backup_eligible)
    throw new PasskeyProblem('whether it can be backed up has changed')
  return { signCount: newCounter, backedUp: credentialBackedUp }
}
