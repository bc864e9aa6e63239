import type { IncomingMessage } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type AccessTokenVerifier, type IssuerDirectory, type Person, TokenInvalid, VerificationUnavailable } from '@gatehouse/identity'
import { commonRefusal, type RawCall, readCookie } from '@gatehouse/rpc'
import { cookieNames } from '../cookies.ts'
import { invalid } from './interaction.ts'

type Headers = Pick<IncomingMessage, 'headers'>

/** A link to an interaction that is sent to somebody else opens nothing: the cookie is in the browser that the client sent here, and under no other path. */
export function assertOwnBrowser({ headers }: Headers, uid: string): void {
  if (readCookie(headers.cookie, cookieNames.interaction) !== uid) throw invalid()
}

/** Only a page of the tenant's own origin acts, not one of another origin that may call its RPCs. */
export function assertOwnPage({ headers }: Headers, issuers: IssuerDirectory, tenant: string): void {
  if (headers.origin === undefined || headers.origin !== issuers.issuer(tenant)?.origin) throw notAllowed()
}

/** Whoever reads is our page, too; programs and old browsers do not say. */
export function assertNotCrossSite({ headers }: Headers): void {
  if ((headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin') throw notAllowed()
}

/** The person of an access token for our own doors. */
export async function assertPerson(verifier: AccessTokenVerifier, call: RawCall): Promise<Person> {
  const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(call.header('authorization') ?? '') ?? []
  if (token === undefined) throw commonRefusal(ErrorReason.CREDENTIALS_MISSING)
  const person = await verifier.verify(token).catch(refused)
  if (person.tenant !== call.tenant) throw commonRefusal(ErrorReason.WRONG_TENANT)
  if (person.kind !== 'person') throw commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID)
  call.setCaller({ person })
  return person
}

function refused(error: unknown): never {
  if (error instanceof TokenInvalid) throw commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID, {}, { cause: error })
  if (error instanceof VerificationUnavailable)
    throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' }, { cause: error })
  throw error
}

function notAllowed() {
  return commonRefusal(ErrorReason.ORIGIN_NOT_ALLOWED)
}
