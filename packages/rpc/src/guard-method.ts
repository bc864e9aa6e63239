import { create, type DescMessage, type Message, type MessageInitShape } from '@bufbuild/protobuf'
import type { Code, ConnectError, HandlerContext } from '@connectrpc/connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type LackingSignIn, nameOfStrength, Strength } from '@gatehouse/identity'
import { answerError } from './answer-error.ts'
import { CallContext } from './call-context.ts'
import type { CompiledMethod } from './compile-method.ts'
import { identify } from './credentials.ts'
import type { GuardedMethod } from './guarded-method.ts'
import { countApiKey, type LimitGate } from './limits.ts'
import type { CallMeter } from './meters.ts'
import type { PipelineOptions } from './pipeline.ts'
import { commonRefusal, Refusal } from './refusal.ts'
import { startSpan } from './span.ts'
import { MAX_STREAM_SECONDS, SLOW_READER_SECONDS, watchStream } from './stream-ends.ts'
import { untilEnded } from './stream-lifetime.ts'
import type { StreamsOfPeople } from './streams-of-people.ts'
import { withinDeadline } from './within-deadline.ts'

/** A method of a ServiceImpl; which message it takes and answers follows from its descriptor. */
export type Handler = (request: Message, context: HandlerContext) => unknown

type Answer = MessageInitShape<DescMessage>

/** Puts one RPC behind the steps that every call takes, in the order in which they stand here. */
export function guardMethod(
  method: CompiledMethod,
  handler: Handler,
  options: PipelineOptions,
  { meter, streams }: { readonly meter: CallMeter; readonly streams: StreamsOfPeople },
): GuardedMethod {
  const { desc, access, check, limits } = method
  const {
    maxStreamSeconds = MAX_STREAM_SECONDS,
    slowReaderSeconds = SLOW_READER_SECONDS,
    now = Date.now,
    within = (_, act) => act(),
  } = options

  /**
   * Everything before the handler: it answers the request that the handler may see, or throws. It promises only where it has to wait, for a token that
   * is new or a limit: a promise costs more than most of these steps.
   */
  function admit(context: CallContext, decode: () => Message): Message | Promise<Message> {
    // deadline: what nobody waits for is not begun
    if (context.deadline !== undefined && context.deadline <= Date.now()) throw commonRefusal(ErrorReason.DEADLINE_EXCEEDED)
    // identity: who calls, for which tenant
    const identified = identify(context, options)
    return identified === undefined ? admitCaller(context, decode) : identified.then(() => admitCaller(context, decode))
  }

  function admitCaller(context: CallContext, decode: () => Message): Message | Promise<Message> {
    // access, as far as it needs no request: nobody's bytes are decoded in vain
    const decision = access.decide(context.caller, options.access, options.registry)
    if (decision === 'missing') throw commonRefusal(ErrorReason.CREDENTIALS_MISSING)
    if (decision === 'denied') throw denied()
    // whoever is registered is not refused for good because auth could not be asked yet
    if (decision === 'unknown') throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'auth' })
    // decode
    const request = decodeWith(decode)
    // access by the request's own field
    if (decision === 'own' && !access.owns(context.caller, request, options.access)) throw denied()
    // step-up: how strong and how fresh the sign-in is
    const lacking = access.lacks(context.caller, now())
    if (lacking) throw stepUpRequired(lacking)
    // canonical form, then the rules of the contract
    check(request)
    // limits: only valid requests are counted, by their canonical values
    const keyLimit = context.caller.person?.apiKey?.limit
    return limits === undefined && keyLimit === undefined ? request : limited(context, request, limits)
  }

  /** Whoever is late is answered, whatever the counting of their call waits for. */
  async function limited(context: CallContext, request: Message, count: LimitGate | undefined): Promise<Message> {
    const countAll = async () => {
      await countApiKey(context, options.limits)
      await count?.(context, request)
    }
    await withinDeadline(context, () => within(context, countAll))
    return request
  }

  /** Asked again and again while a stream is open. */
  function stillMay(context: CallContext, request: Message): boolean {
    const decision = access.decide(context.caller, options.access)
    return decision === 'granted' || (decision === 'own' && access.owns(context.caller, request, options.access))
  }

  function denied(): Refusal {
    return commonRefusal(ErrorReason.PERMISSION_DENIED, access.permission === '' ? {} : { permission: access.permission })
  }

  /** The error that is answered: that of the call, or what went wrong when its refusal was written down. */
  async function noted(error: unknown, context: CallContext): Promise<unknown> {
    const { refused } = options
    if (!(error instanceof Refusal) || refused === undefined) return error
    try {
      await withinDeadline(context, () => refused(context, desc, error))
      return error
    } catch (unwritten) {
      return unwritten
    }
  }

  function fail(error: unknown, context: CallContext): ConnectError {
    return answerError(error, context, method.declared, options)
  }

  return {
    desc,
    async unary(inbound, decode) {
      const started = performance.now()
      const context = new CallContext(desc, inbound)
      const span = startSpan(options, context)
      let code: Code | undefined
      try {
        const admitted = admit(context, decode)
        const request = admitted instanceof Promise ? await admitted : admitted
        const answer = await withinDeadline(context, () =>
          context.trace.run(() => within(context, () => handler(request, context)), context),
        )
        context.sendResponseHeaders()
        return create(desc.output, answer as Answer)
      } catch (error) {
        const answer = fail(await noted(error, context), context)
        code = answer.code
        throw answer
      } finally {
        context.end()
        span?.end(code)
        meter(inbound.door, code, (performance.now() - started) / 1000)
      }
    },
    async *stream(inbound, decode) {
      const started = performance.now()
      const context = new CallContext(desc, inbound)
      const span = startSpan(options, context)
      let code: Code | undefined
      try {
        const request = await admit(context, decode)
        using _place = streams.enter(context.caller.person)
        const start = () => handler(request, context) as AsyncIterable<Answer>
        const watch = watchStream(context, options, { maxSeconds: maxStreamSeconds, stillMay: () => stillMay(context, request), denied })
        for await (const answer of untilEnded(context, start, watch, slowReaderSeconds * 1000)) {
          context.sendResponseHeaders()
          yield create(desc.output, answer)
        }
      } catch (error) {
        const answer = fail(await noted(error, context), context)
        code = answer.code
        throw answer
      } finally {
        span?.end(code)
        meter(inbound.door, code, (performance.now() - started) / 1000)
      }
    },
  }
}

function stepUpRequired({ strength, maxAgeSeconds }: LackingSignIn): Refusal {
  return commonRefusal(ErrorReason.STEP_UP_REQUIRED, {
    ...(strength === Strength.UNSPECIFIED ? {} : { strength: nameOfStrength(strength) }),
    ...(maxAgeSeconds === 0 ? {} : { max_age_seconds: String(maxAgeSeconds) }),
  })
}

function decodeWith(decode: () => Message): Message {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw commonRefusal(ErrorReason.MALFORMED_REQUEST, {}, { cause: error })
  }
}
