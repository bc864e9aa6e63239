import type { Request } from '@gatehouse/postgres'

/** Where a person signs in from. */
export interface SignInPlace {
  readonly userAgent: string
  /** Address that the call came from. */
  readonly source: string
  /** Through which first-party client. */
  readonly clientId?: string
  /** What earlier sign-ins left there. */
  readonly deviceToken?: string
  /** What a sign-in after which the person trusted the device left there. */
  readonly trustToken?: string
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
}

/** What makes a retry safe. */
export interface Retry {
  /** Chosen by the caller; empty where the caller wants no such promise. */
  readonly requestId: string
  readonly fingerprint: string
  readonly alsoKnownAs?: Request['alsoKnownAs']
  readonly keptSeconds?: number | undefined
}

/** Whoever has no credentials. */
export const stranger = 'stranger'
