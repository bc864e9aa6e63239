import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { HeldFactors } from '../../store/factors.ts'
import { offeredAlgorithms } from './algorithms.ts'
import { patienceMs, userHandleOf } from './ceremony.ts'
import type { RelyingParty } from './relying-party.ts'
import { descriptorOf } from './transports.ts'
import { webauthn } from './webauthn.ts'

/** What to ask `navigator.credentials.create`: a passkey that it keeps, with its owner verified and nobody attested. */
export async function creationOptions(
  { relyingParty, challenge }: { relyingParty: RelyingParty; challenge: Uint8Array<ArrayBuffer> },
  user: User,
  passkeys: HeldFactors['passkeys'],
): Promise<string> {
  const { generateRegistrationOptions } = await webauthn()
  const options = await generateRegistrationOptions({
    rpName: 'Gatehouse',
    rpID: relyingParty.id,
    userID: userHandleOf(user.id),
    userName: user.email,
    userDisplayName: user.name,
    challenge,
    timeout: patienceMs,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: passkeys.map(descriptorOf),
    supportedAlgorithmIDs: [...offeredAlgorithms],
  })
  return JSON.stringify(options)
}
