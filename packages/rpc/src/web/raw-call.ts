import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorToJson } from '@connectrpc/connect/protocol-connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { Caller, Person } from '@gatehouse/identity'
import { toConnectError } from '../answer-error.ts'
import type { Call } from '../call.ts'
import type { CallBounds, Cookies } from '../inbound.ts'
import { commonRefusal, type Refusal } from '../refusal.ts'
import { CallTrace } from '../trace.ts'
import { markError, statusOf } from './answer.ts'
import { type DoorSettings, type HeaderSink, WebCall } from './web-call.ts'

/** A request of a route that is no RPC: the Call that code below it sees, and what the route itself has to say about it. */
export interface RawCall extends Call {
  /** The `Host` that was called, in lower case; empty where there is none. */
  readonly host: string
  /** Whether a page of an allowed origin sent it, or one that lives on the host that is called. */
  readonly originAllowed: boolean
  /** Whose people the request is about, once the route has found out. */
  setTenant(tenant: string): void
  /** Who sent it, once the route has proven it. */
  setCaller(caller: Caller): void
  /** Answers the refusal as an RPC would, unless an answer has begun. */
  refuse(refusal: Refusal): void
}

const NOBODY: Caller = Object.freeze({})

/** One object per request of a raw route. Identity is the route's own business: until it says something, a stranger calls for no tenant. */
export class RawCallContext implements RawCall, CallBounds {
  readonly door = 'web'
  readonly withheld = false
  readonly trace: CallTrace
  caller: Caller = NOBODY
  ended = false
  readonly #inbound: WebCall
  readonly #response: ServerResponse
  readonly #settings: DoorSettings
  #tenant: string | undefined

  constructor(request: IncomingMessage, response: ServerResponse, settings: DoorSettings, deadlineMs: number) {
    this.#inbound = new WebCall({ raw: request }, headerSink(response), settings, deadlineMs)
    this.#response = response
    this.#settings = settings
    this.trace = new CallTrace(this.#inbound.header('traceparent'), true)
  }

  get tenant(): string {
    if (this.#tenant === undefined) throw commonRefusal(ErrorReason.WRONG_TENANT)
    return this.#tenant
  }

  setTenant(tenant: string): void {
    this.#tenant = tenant
  }

  setCaller(caller: Caller): void {
    this.caller = caller
  }

  person(): Person {
    if (this.caller.person === undefined) throw commonRefusal(ErrorReason.CREDENTIALS_MISSING)
    return this.caller.person
  }

  get source(): string {
    return this.#inbound.source
  }

  get host(): string {
    return this.#inbound.host ?? ''
  }

  get originAllowed(): boolean {
    return this.#settings.origins.allows(this.header('origin'), this.host)
  }

  get deadline(): number | undefined {
    return this.#inbound.deadline
  }

  get signal(): AbortSignal {
    return this.#inbound.signal
  }

  get cookies(): Cookies {
    return this.#inbound.cookies
  }

  get traceId(): string {
    return this.trace.traceId
  }

  header(name: string): string | undefined {
    return this.#inbound.header(name)
  }

  refuse(refusal: Refusal): void {
    const response = this.#response
    if (response.headersSent || response.destroyed) return
    const error = toConnectError(refusal, this.traceId)
    const text = JSON.stringify(errorToJson(error, undefined))
    markError(error, headerSink(response))
    response.statusCode = statusOf(error)
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-length', Buffer.byteLength(text))
    response.end(text)
  }
}

function headerSink(response: ServerResponse): HeaderSink {
  return {
    raw: response,
    header: (name, value) => (name === 'set-cookie' ? response.appendHeader(name, value) : response.setHeader(name, value)),
  }
}
