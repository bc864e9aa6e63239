import type { AuthenticatorTransport } from '@simplewebauthn/server'
import { textOf } from './ceremony.ts'

const known: ReadonlySet<unknown> = new Set(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])

/** Of what an authenticator says about the ways to it, that which a browser will understand when it is told again. */
export function knownTransports(said: unknown): AuthenticatorTransport[] {
  if (!Array.isArray(said)) return []
  return [...new Set(said)].filter((each): each is AuthenticatorTransport => known.has(each))
}

/** A passkey as a browser is told of it. */
export function descriptorOf(passkey: { readonly credentialId: Uint8Array; readonly transports: readonly string[] }): {
  id: string
  transports: AuthenticatorTransport[]
} {
  return { id: textOf(passkey.credentialId), transports: knownTransports(passkey.transports) }
}
