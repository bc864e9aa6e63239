import type { DescMethod, DescService } from '@bufbuild/protobuf'
import { type ContextValues, createContextValues, type HandlerContext } from '@connectrpc/connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { Caller, Person } from '@gatehouse/identity'
import type { Call } from './call.ts'
import type { CallBounds, Cookies, Inbound } from './inbound.ts'
import { commonRefusal } from './refusal.ts'
import { CallTrace } from './trace.ts'

const NOBODY: Caller = Object.freeze({})

const NO_COOKIES: Cookies = {
  get: () => undefined,
  set() {
    throw commonRefusal(ErrorReason.ORIGIN_NOT_ALLOWED)
  },
  clear() {},
}

/** One object per call: the handler's context and the Call behind it. What few handlers read is made when it is read. */
export class CallContext implements HandlerContext, Call, CallBounds {
  readonly method: DescMethod
  readonly inbound: Inbound
  readonly trace: CallTrace
  caller: Caller = NOBODY
  withheld = false
  ended = false
  #tenant: string | undefined
  #signal: AbortSignal | undefined
  #values: ContextValues | undefined
  #responseHeader: Headers | undefined
  #responseTrailer: Headers | undefined
  #traceTold = false

  constructor(method: DescMethod, inbound: Inbound) {
    this.method = method
    this.inbound = inbound
    this.trace = new CallTrace(inbound.header('traceparent'), inbound.door === 'web')
  }

  get call(): Call {
    return this
  }

  get tenant(): string {
    if (this.#tenant === undefined) throw commonRefusal(ErrorReason.WRONG_TENANT)
    return this.#tenant
  }

  /** The tenant, where the call names one. */
  get knownTenant(): string | undefined {
    return this.#tenant
  }

  setTenant(tenant: string | undefined): void {
    this.#tenant = tenant
  }

  person(): Person {
    if (this.caller.person === undefined) throw commonRefusal(ErrorReason.CREDENTIALS_MISSING)
    return this.caller.person
  }

  get source(): string {
    return this.inbound.source
  }

  get door(): 'grpc' | 'web' {
    return this.inbound.door
  }

  get deadline(): number | undefined {
    return this.inbound.deadline
  }

  header(name: string): string | undefined {
    return this.inbound.header(name)
  }

  get cookies(): Cookies {
    return this.inbound.cookies ?? NO_COOKIES
  }

  get traceId(): string {
    return this.trace.traceId
  }

  get service(): DescService {
    return this.method.parent
  }

  get signal(): AbortSignal {
    this.#signal ??= this.inbound.signal
    return this.#signal
  }

  /** Narrows the signal, where the pipeline itself watches the deadline. */
  set signal(signal: AbortSignal) {
    this.#signal = signal
  }

  /** To be called with the answer. Whoever is late stays bounded: on the web door it is answered before it notices. */
  end(): void {
    const { deadline } = this.inbound
    this.ended = deadline === undefined || Date.now() < deadline
  }

  timeoutMs(): number | undefined {
    const { deadline } = this.inbound
    return deadline === undefined ? undefined : deadline - Date.now()
  }

  get requestMethod(): string {
    return 'POST'
  }

  get requestHeader(): Headers {
    throw new TypeError('Read request headers with callOf(context).header(name)')
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers()
    return this.#responseHeader
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers()
    return this.#responseTrailer
  }

  get protocolName(): string {
    return this.inbound.door
  }

  get values(): ContextValues {
    this.#values ??= createContextValues()
    return this.#values
  }

  get url(): string {
    return `/${this.method.parent.typeName}/${this.method.name}`
  }

  /** Hands the headers that the handler set to the door, and on the web door the trace id, with which people can ask us about a call. */
  sendResponseHeaders(): void {
    if (this.inbound.door === 'web' && !this.#traceTold) {
      this.#traceTold = true
      this.inbound.setResponseHeader('x-trace-id', this.traceId)
    }
    if (this.#responseHeader === undefined) return
    for (const [name, value] of this.#responseHeader) this.inbound.setResponseHeader(name, value)
    this.#responseHeader = undefined
  }
}
