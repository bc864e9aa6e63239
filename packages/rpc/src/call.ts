import type { HandlerContext } from '@connectrpc/connect'
import type { Caller, Person } from '@gatehouse/identity'
import { CallContext } from './call-context.ts'
import type { Cookies } from './inbound.ts'

/** What a handler may know about the call that it serves. */
export interface Call {
  /**
   * Whose people the call is about: the tenant of the host or of the person's token; for a workload alone what it names in `gatehouse-tenant`.
   * Reading it refuses with `WRONG_TENANT` where a workload alone named none.
   */
  readonly tenant: string
  readonly caller: Caller
  /** The caller as a person or service account; a `CREDENTIALS_MISSING` refusal where there is none. */
  person(): Person
  /** Address of the client. */
  readonly source: string
  readonly door: 'grpc' | 'web'
  /** Epoch milliseconds. */
  readonly deadline: number | undefined
  readonly signal: AbortSignal
  /** A silent limit is exhausted: answer as usual and do nothing that can be seen from outside. */
  readonly withheld: boolean
  /** First value of a request header; the name in lower case. */
  header(name: string): string | undefined
  /** On the gRPC door `get` finds nothing and `set` refuses with `ORIGIN_NOT_ALLOWED`. */
  readonly cookies: Cookies
  /** 32 hex digits; the logs have the same. */
  readonly traceId: string
}

/** The call behind a handler's context. */
export function callOf(context: HandlerContext): Call {
  if (context instanceof CallContext) return context.call
  throw new TypeError('This context was not made by the pipeline')
}
