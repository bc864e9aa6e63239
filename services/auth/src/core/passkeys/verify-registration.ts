import { assertKey, offeredAlgorithms } from './algorithms.ts'
import { type Ceremony, textOf } from './ceremony.ts'
import { madeOnOwnPage } from './own-page.ts'
import { PasskeyProblem, withProblems } from './passkey-problem.ts'
import { readRegistration } from './read-answer.ts'
import { webauthn, webauthnFormats } from './webauthn.ts'

/** A passkey as its authenticator describes it. */
export interface NewPasskey {
  readonly credentialId: Uint8Array
  /** COSE_Key (RFC 9052). */
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly transports: readonly string[]
  readonly backupEligible: boolean
  readonly backedUp: boolean
}

/** Verifies what a browser made (WebAuthn Level 3, 7.1). */
export async function verifyRegistration({ relyingParty, challenge }: Ceremony, json: string): Promise<NewPasskey> {
  const answer = readRegistration(json)
  await madeOnOwnPage(answer.response.clientDataJSON)
  await assertNoAuthority(answer.response.attestationObject)
  const { verifyRegistrationResponse } = await webauthn()
  const { verified, registrationInfo } = await withProblems(() =>
    verifyRegistrationResponse({
      response: answer,
      expectedChallenge: textOf(challenge),
      expectedOrigin: relyingParty.origin,
      expectedRPID: relyingParty.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...offeredAlgorithms],
    }),
  )
  if (!verified) throw new PasskeyProblem('its attestation does not verify')
  const { credential, credentialBackedUp, credentialDeviceType } = registrationInfo
  if (credential.id !== answer.id) throw new PasskeyProblem('the authenticator names another credential')
  await assertKey(credential.publicKey)
  return {
    credentialId: Buffer.from(credential.id, 'base64url'),
    publicKey: credential.publicKey,
    signCount: credential.counter,
    transports: credential.transports ?? [],
    backupEligible: credentialDeviceType === 'multiDevice',
    backedUp: credentialBackedUp,
  }
}

/**
 * No attestation was asked for, so a browser sends none, or one by the passkey's own key. Certificates come from others, and to follow them would have
 * the service fetch whatever addresses stand in them.
 */
async function assertNoAuthority(attestationObject: string): Promise<void> {
  const { decodeAttestationObject } = await webauthnFormats()
  const isPlain = await withProblems(() => {
    const attestation = decodeAttestationObject(Uint8Array.from(Buffer.from(attestationObject, 'base64url')))
    const [format, statement] = [attestation.get('fmt'), attestation.get('attStmt')]
    return format === 'none' || (format === 'packed' && statement.get('x5c') === undefined)
  })
  if (!isPlain) throw new PasskeyProblem('it carries an attestation that nobody asked for')
}
