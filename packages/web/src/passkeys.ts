import type { CompletePasskeyEnrolmentResponse } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
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

/** Whether this browser offers passkeys in the list under a field with `autocomplete="username webauthn"`. */
export async function passkeysAutofill(): Promise<boolean> {
  return passkeysWork() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true
}

/** An attempt is begun anew so long before it ends: a person takes a while. */
const renewBeforeMs = 60_000

/**
 * Signs in with a passkey that the person picks under such a field, whenever they do; until then the page is theirs. Only one at a time may wait: abort it before the
 * person is asked in another way.
 */
export async function signInByAutofill(
  { passkeys }: Pick<Gatehouse, 'passkeys'>,
  { signal }: { signal: AbortSignal },
): Promise<CompletePasskeySignInResponse['result']> {
  for (;;) {
    const { attemptId, optionsJson, expireTime } = await passkeys.beginPasskeySignIn({}, { signal })
    const end = AbortSignal.timeout(Math.max(1_000, Number(expireTime?.seconds ?? 0n) * 1000 - Date.now() - renewBeforeMs))
    const passkeyJson = await showPasskey(optionsJson, { signal: AbortSignal.any([signal, end]), mediation: 'conditional' }).catch(
      (error) => {
        if (signal.aborted || !end.aborted) throw error
        return undefined
      },
    )
    if (passkeyJson !== undefined) return (await passkeys.completePasskeySignIn({ attemptId, passkeyJson, useCookie: true })).result
  }
}

/** Has the browser make a passkey and registers it. */
export async function registerPasskey(
  { passkeys }: Pick<Gatehouse, 'passkeys'>,
  name: string,
): Promise<CompletePasskeyRegistrationResponse> {
  const { attemptId, optionsJson } = await passkeys.beginPasskeyRegistration({})
  return await passkeys.completePasskeyRegistration({ attemptId, passkeyJson: await makePasskey(optionsJson), name })
}

/** Has the browser make a passkey in the middle of a sign-in whose step names it in `enrol`, which ends with it. */
export async function enrolPasskey(
  { enrolment }: Pick<Gatehouse, 'enrolment'>,
  continuation: string,
  name: string,
): Promise<CompletePasskeyEnrolmentResponse> {
  const { attemptId, optionsJson } = await enrolment.beginPasskeyEnrolment({ continuation })
  const passkeyJson = await makePasskey(optionsJson)
  return await enrolment.completePasskeyEnrolment({ continuation, attemptId, passkeyJson, name, useCookie: true })
}

async function makePasskey(optionsJson: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(optionsJson) as PublicKeyCredentialCreationOptionsJSON)
  return jsonOf(await navigator.credentials.create({ publicKey }))
}

/** Asks the person for a passkey by the `passkey_options_json` of a step, and answers what `passkey_json` takes. */
export async function showPasskey(
  optionsJson: string,
  { signal, mediation }: { signal?: AbortSignal; mediation?: CredentialMediationRequirement } = {},
): Promise<string> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(optionsJson) as PublicKeyCredentialRequestOptionsJSON)
  return jsonOf(await navigator.credentials.get({ publicKey, ...(signal && { signal }), ...(mediation && { mediation }) }))
}

function jsonOf(credential: Credential | null): string {
  if (!(credential instanceof PublicKeyCredential)) throw new TypeError('The browser answered with something that is no passkey')
  return JSON.stringify(credential.toJSON())
}
