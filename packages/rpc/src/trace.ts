import { randomFillSync } from 'node:crypto'
import { type Context, context, createContextKey, ROOT_CONTEXT, type Span, type SpanContext, TraceFlags, trace } from '@opentelemetry/api'

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

/** Tells the sampler that somebody decided already: the span of a context that has it is recorded. The name is the agreement, see head-sampler.ts. */
const decidedKey = createContextKey('gatehouse recorded')

/**
 * Where a call stands in its trace (W3C Trace Context): the trace of `traceparent`, or a new one. Ids are made when they are first read. A stranger's trace
 * goes on under its id, but whether it is recorded is not a stranger's to say.
 */
export class CallTrace implements SpanContext {
  readonly #parent: string | undefined
  readonly #isStranger: boolean
  #recorded: Span | undefined
  #read = false
  #traceId: string | undefined
  #spanId: string | undefined
  #parentSpanId: string | undefined
  #flags = 0

  /** @param isStranger true where the caller is outside of the house. */
  constructor(traceparent: string | undefined, isStranger = false) {
    this.#parent = traceparent
    this.#isStranger = isStranger
  }

  get traceId(): string {
    this.#parse()
    this.#traceId ??= randomHex(16)
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

  /** Whether the trace is recorded elsewhere already; undefined where it begins here, or comes from a stranger. */
  get isRecorded(): boolean | undefined {
    this.#parse()
    return this.#isStranger || this.#parentSpanId === undefined ? undefined : (this.#flags & TraceFlags.SAMPLED) !== 0
  }

  /** Context for a span that is recorded: under the caller's span, or at the root where the caller sent none. */
  get parent(): Context {
    this.#parse()
    if (this.#parentSpanId === undefined) return ROOT_CONTEXT.setValue(decidedKey, true)
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: this.traceId,
      spanId: this.#parentSpanId,
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    })
  }

  /** Takes over a real span: logs and answers name its ids, and what the call does stands under it. */
  adopt(span: Span): void {
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.#read = true
    this.#traceId = traceId
    this.#spanId = spanId
    this.#flags = traceFlags
    this.#recorded = span
  }

  /** Runs `act` where `trace.getSpanContext(context.active())` is this call, and `context.active()` has it under {@link callKey}. */
  run<T>(act: () => T, call?: object): T {
    return context.with(new CallSpan(this, this.#recorded, call), act)
  }

  #parse(): void {
    if (this.#read) return
    this.#read = true
    const match = this.#parent === undefined ? null : TRACEPARENT.exec(this.#parent)
    const [, traceId = NO_TRACE, spanId = NO_SPAN, flags = '0'] = match ?? []
    if (traceId === NO_TRACE || spanId === NO_SPAN) return
    this.#traceId = traceId
    this.#parentSpanId = spanId
    if (!this.#isStranger) this.#flags = Number.parseInt(flags, 16)
  }
}

/** Where a context has the call that runs in it. */
export const callKey = createContextKey('gatehouse call')

/** The root context with the span of a call in it. Most calls never look into it, and a context of OpenTelemetry's is a map and three closures. */
class CallSpan implements Context {
  readonly #span: SpanContext
  readonly #recorded: Span | undefined
  readonly #call: object | undefined
  #made: Context | undefined

  constructor(span: SpanContext, recorded: Span | undefined, call: object | undefined) {
    this.#span = span
    this.#recorded = recorded
    this.#call = call
  }

  get #context(): Context {
    // What is done under a recorded call is recorded too, and asks the span itself whether it is.
    this.#made ??= this.#recorded ? trace.setSpan(ROOT_CONTEXT, this.#recorded) : trace.setSpanContext(ROOT_CONTEXT, this.#span)
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
