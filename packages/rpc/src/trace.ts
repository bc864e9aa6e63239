import { randomFillSync } from 'node:crypto'
import { type Context, context, createContextKey, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api'

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

// Asking the kernel for 24 bytes a call would cost more than the rest of the trace.
const POOL = Buffer.alloc(6144)
let used = POOL.length

function randomHex(bytes: number): string {
  if (used + bytes > POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += bytes
  return POOL.toString('hex', used - bytes, used)
}

/** Where a call stands in its trace (W3C Trace Context): the trace of `traceparent`, or a new one. Ids are made when they are first read. */
export class CallTrace implements SpanContext {
  readonly #parent: string | undefined
  #read = false
  #traceId = ''
  #spanId: string | undefined
  #parentSpanId: string | undefined
  #flags = 0

  constructor(traceparent: string | undefined) {
    this.#parent = traceparent
  }

  get traceId(): string {
    this.#parse()
    return this.#traceId
  }

  get spanId(): string {
    this.#spanId ??= randomHex(8)
    return this.#spanId
  }

  get traceFlags(): number {
    this.#parse()
    return this.#flags
  }

  /** Context that has the caller's span as its parent, for a real span; the root where the caller sent none. */
  get parent(): Context {
    this.#parse()
    if (this.#parentSpanId === undefined) return ROOT_CONTEXT
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: this.#traceId,
      spanId: this.#parentSpanId,
      traceFlags: this.#flags,
      isRemote: true,
    })
  }

  /** Takes over the ids of a real span, so that logs and answers name the same. */
  adopt(span: SpanContext): void {
    this.#read = true
    this.#traceId = span.traceId
    this.#spanId = span.spanId
    this.#flags = span.traceFlags
  }

  /** Runs `act` where `trace.getSpanContext(context.active())` is this call, and `context.active()` has it under {@link callKey}. */
  run<T>(act: () => T, call?: object): T {
    return context.with(new CallSpan(this, call), act)
  }

  #parse(): void {
    if (this.#read) return
    this.#read = true
    const match = this.#parent === undefined ? null : TRACEPARENT.exec(this.#parent)
    const [, traceId = NO_TRACE, spanId = NO_SPAN, flags = '0'] = match ?? []
    if (traceId === NO_TRACE || spanId === NO_SPAN) {
      this.#traceId = randomHex(16)
      return
    }
    this.#traceId = traceId
    this.#parentSpanId = spanId
    this.#flags = Number.parseInt(flags, 16)
  }
}

/** Where a context has the call that runs in it. */
export const callKey = createContextKey('gatehouse call')

/** The root context with the span of a call in it. Most calls never look into it, and a context of OpenTelemetry's is a map and three closures. */
class CallSpan implements Context {
  readonly #span: SpanContext
  readonly #call: object | undefined
  #made: Context | undefined

  constructor(span: SpanContext, call: object | undefined) {
    this.#span = span
    this.#call = call
  }

  get #context(): Context {
    this.#made ??= trace.setSpanContext(ROOT_CONTEXT, this.#span)
    return this.#made
  }

  getValue(key: symbol): unknown {
    return key === callKey ? this.#call : this.#context.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#context.setValue(callKey, this.#call).setValue(key, value)
  }

  deleteValue(key: symbol): Context {
    return this.#context.deleteValue(key)
  }
}
