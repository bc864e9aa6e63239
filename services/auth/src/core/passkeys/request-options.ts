import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { HeldFactors } from '../../store/factors.ts'
import { type Ceremony, patienceMs, textOf } from './ceremony.ts'
import { descriptorOf } from './transports.ts'

/** What to ask `navigator.credentials.get`; without passkeys it offers those that the browser has for us. */
export function requestOptions({ relyingParty, challenge }: Ceremony, passkeys: HeldFactors['passkeys'] = []): string {
  const options: PublicKeyCredentialRequestOptionsJSON = {
    rpId: relyingParty.id,
    challenge: textOf(challenge),
    timeout: patienceMs,
    userVerification: 'required',
    allowCredentials: passkeys.map((each) => ({ type: 'public-key', ...descriptorOf(each) })),
  }
  return JSON.stringify(options)
}
