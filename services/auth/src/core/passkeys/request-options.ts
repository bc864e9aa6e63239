import { generateAuthenticationOptions } from '@simplewebauthn/server'
import type { HeldFactors } from '../../store/factors.ts'
import { type Ceremony, patienceMs } from './ceremony.ts'
import { descriptorOf } from './transports.ts'

/** What to ask `navigator.credentials.get`; without passkeys it offers those that the browser has for us. */
export async function requestOptions({ relyingParty, challenge }: Ceremony, passkeys: HeldFactors['passkeys'] = []): Promise<string> {
  const options = await generateAuthenticationOptions({
    rpID: relyingParty.id,
    challenge: Uint8Array.from(challenge),
    timeout: patienceMs,
    userVerification: 'required',
    allowCredentials: passkeys.map(descriptorOf),
  })
  return JSON.stringify(options)
}
