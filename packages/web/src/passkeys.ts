import type {
  CompletePasskeyRegistrationResponse,
  CompletePasskeySignInResponse,
} from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import type { Gatehouse } from './gatehouse.ts'

/** Whether this browser can make and show passkeys (WebAuthn Level 3, with its JSON). */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential === 'function' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'
}

/** Signs in with a passkey that the person picks; throws a `NotAllowedError` where they do not. */
export async function signInWithPasskey(
  { passkeys }: Pick<Gatehouse, 'passkeys'>,
  options: { signal?: AbortSignal } = {},
): Promise<CompletePasskeySignInResponse['result']> {
  const { attemptId, optionsJson } = await passkeys.beginPasskeySignIn({})
  const passkeyJson = await showPasskey(optionsJson, options)
  return (await passkeys.completePasskeySignIn({ attemptId, passkeyJson, useCookie: true })).result
}

/** Has the browser make a passkey and registers it. */
export async function registerPasskey(
  { passkeys }: Pick<Gatehouse, 'passkeys'>,
  name: string,
): Promise<CompletePasskeyRegistrationResponse> {
  const { attemptId, optionsJson } = await passkeys.beginPasskeyRegistration({})
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(optionsJson) as PublicKeyCredentialCreationOptionsJSON)
  const passkeyJson = jsonOf(await navigator.credentials.create({ publicKey }))
  return await passkeys.completePasskeyRegistration({ attemptId, passkeyJson, name })
}

/** Asks the person for a passkey by the `passkey_options_json` of a step, and answers what `passkey_json` takes. */
export async function showPasskey(optionsJson: string, { signal }: { signal?: AbortSignal } = {}): Promise<string> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(optionsJson) as PublicKeyCredentialRequestOptionsJSON)
  return jsonOf(await navigator.credentials.get({ publicKey, ...(signal && { signal }) }))
}

function jsonOf(credential: Credential | null): string {
  if (!(credential instanceof PublicKeyCredential)) throw new TypeError('The browser answered with something that is no passkey')
  return JSON.stringify(credential.toJSON())
}
