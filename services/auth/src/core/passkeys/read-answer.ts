import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { PasskeyProblem } from './passkey-problem.ts'
import { knownTransports } from './transports.ts'

/** WebAuthn Level 3, 7.1 step 25. */
const longestCredentialId = 1023

type Members = Readonly<Record<string, unknown>>

/** What `navigator.credentials.create` answered, of which nothing is taken that is not named here. */
export function readRegistration(json: string): RegistrationResponseJSON {
  const { id, response } = readCredential(json)
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(response, 'clientDataJSON'),
      attestationObject: text(response, 'attestationObject'),
      transports: knownTransports(response.transports),
    },
  }
}

/** What `navigator.credentials.get` answered. */
export function readAssertion(json: string): AuthenticationResponseJSON {
  const { id, response } = readCredential(json)
  const { userHandle } = response
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(response, 'clientDataJSON'),
      authenticatorData: text(response, 'authenticatorData'),
      signature: text(response, 'signature'),
      ...(userHandle !== undefined && userHandle !== null && { userHandle: text(response, 'userHandle') }),
    },
  }
}

function readCredential(json: string): { id: string; response: Members } {
  const credential = membersOf(parse(json))
  const id = text(credential, 'id')
  if (text(credential, 'rawId') !== id) throw new PasskeyProblem('id and rawId are two')
  if (credential.type !== 'public-key') throw new PasskeyProblem('it is no public key')
  if (Buffer.from(id, 'base64url').length > longestCredentialId) throw new PasskeyProblem('the credential id is too long')
  return { id, response: membersOf(credential.response) }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new PasskeyProblem('it is no JSON', { cause: error })
  }
}

function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null) throw new PasskeyProblem('a part is no object')
  return value as Members
}

/** Bytes in base64url, written in the one way that there is for them. */
function text(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string' || value === '' || Buffer.from(value, 'base64url').toString('base64url') !== value)
    throw new PasskeyProblem(`${name} is no base64url`)
  return value
}
