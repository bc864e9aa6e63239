import type { DescService } from '@bufbuild/protobuf'
import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ClientService } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { ConnectionService } from '@gatehouse/contracts/gatehouse/auth/v1/connection_service_pb'
import { EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { GrantService } from '@gatehouse/contracts/gatehouse/auth/v1/grant_service_pb'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type Confirm, confirming } from './confirming.ts'
import { refusedOf } from './errors.ts'
import { type BrowserSession, followSession } from './session.ts'
import { traceCalls } from './trace.ts'

/** Gatehouse as a browser app sees it. Calls carry the session's access token, which stays fresh by itself. */
export interface Gatehouse {
  readonly session: BrowserSession
  readonly accounts: Client<typeof AccountService>
  readonly clients: Client<typeof ClientService>
  readonly connections: Client<typeof ConnectionService>
  readonly emailSignIn: Client<typeof EmailSignInService>
  readonly enrolment: Client<typeof EnrolmentService>
  readonly factors: Client<typeof FactorService>
  readonly grants: Client<typeof GrantService>
  readonly passkeys: Client<typeof PasskeyService>
  readonly sessions: Client<typeof SessionService>
  readonly users: Client<typeof UserService>
  readonly inbox: Client<typeof InboxService>
}

/** Options of {@link createGatehouse}. */
export interface GatehouseOptions {
  /** Where Gatehouse lives; the page's own origin unless given. Cookies work on the same site only. */
  readonly origin?: string
  /** Asks the person to confirm who they are, where a call needs a fresher or stronger sign-in; without it such calls are refused. */
  readonly confirm?: Confirm
  /** `globalThis.fetch` unless given. */
  readonly fetch?: typeof globalThis.fetch
  /** The W3C `traceparent` that a call is to go on with, for a page that traces itself; each call begins a trace of its own unless given. */
  readonly traceparent?: () => string | undefined
}

/** Connects a page to Gatehouse. One for each page is enough. */
export function createGatehouse(options: GatehouseOptions = {}): Gatehouse {
  const baseUrl = options.origin ?? location.origin
  const doFetch = options.fetch ?? globalThis.fetch
  // Auth alone gets the cookie.
  const withCookies: typeof fetch = (input, init) => doFetch(input, { ...init, credentials: 'same-origin' })
  const withoutCookies: typeof fetch = (input, init) => doFetch(input, { ...init, credentials: 'omit' })
  const traced = traceCalls(options.traceparent)
  const plain = createConnectTransport({ baseUrl, fetch: withCookies, interceptors: [traced], defaultTimeoutMs: 15_000 })
  const session = followSession(createClient(SessionService, plain))
  const signed = [traced, authorize(session)]
  const toAuth = createConnectTransport({ baseUrl, fetch: withCookies, interceptors: signed, defaultTimeoutMs: 15_000 })
  const toOthers = createConnectTransport({ baseUrl, fetch: withoutCookies, interceptors: signed })
  const client = <S extends DescService>(service: S, transport: Transport): Client<S> =>
    options.confirm ? confirming(service, createClient(service, transport), options.confirm) : createClient(service, transport)
  return {
    session,
    accounts: client(AccountService, toAuth),
    clients: client(ClientService, toAuth),
    connections: client(ConnectionService, toAuth),
    emailSignIn: client(EmailSignInService, toAuth),
    enrolment: client(EnrolmentService, toAuth),
    factors: client(FactorService, toAuth),
    grants: client(GrantService, toAuth),
    passkeys: client(PasskeyService, toAuth),
    sessions: client(SessionService, toAuth),
    users: client(UserService, toOthers),
    inbox: client(InboxService, toOthers),
  }
}

/**
 * Adds the access token, and calls once more with a new one where the door refused it, before it did anything. `unauthenticated` alone would not say so: a
 * wrong password has the same code.
 */
function authorize(session: BrowserSession): Interceptor {
  return (next) => async (request) => {
    const token = await session.accessToken()
    if (token === undefined) return next(request)
    request.header.set('authorization', `Bearer ${token}`)
    try {
      return await next(request)
    } catch (error) {
      if (request.stream || refusedOf(error).reason !== 'ACCESS_TOKEN_INVALID') throw error
      const renewed = await session.renew()
      if (renewed === undefined || renewed === token) throw error
      request.header.set('authorization', `Bearer ${renewed}`)
      return next(request)
    }
  }
}
