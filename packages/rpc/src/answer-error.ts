import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import type { CallContext } from './call-context.ts'
import { describeCause } from './describe-cause.ts'
import type { Log } from './log.ts'
import { peerOf } from './peer-error.ts'
import { commonRefusal, Refusal } from './refusal.ts'

/** What the pipeline needs to turn whatever was thrown into an answer. */
export interface ErrorOptions {
  readonly log: Log
  /** Turns errors of other packages, such as a reused request id, into refusals. */
  translate?(error: unknown): Refusal | undefined
  /** Whether an error says that the database cannot be reached. */
  isUnavailable?(error: unknown): boolean
  /** A refusal that the method does not declare becomes `INTERNAL`, so that a test fails. */
  readonly strict?: boolean
}

/** The one place where errors become answers: refusals as they are, all else logged once with its cause and answered neutrally. */
export function answerError(error: unknown, context: CallContext, declared: ReadonlySet<string>, options: ErrorOptions): ConnectError {
  const { log, strict = false } = options
  const fields = () => ({
    method: context.url,
    trace_id: context.traceId,
    door: context.door,
  })
  const refusal = refusalOf(error, context, options)
  if (refusal === undefined && context.inbound.signal.aborted) return new ConnectError('The caller went away.', Code.Canceled)
  if (refusal === undefined) {
    log.error({ ...fields(), cause: describeCause(error) }, 'call failed')
    return toConnectError(commonRefusal(ErrorReason.INTERNAL), context.traceId)
  }
  // The door itself ended the call, and says so once for all of them.
  if (context.inbound.signal.aborted && context.inbound.signal.reason === refusal) return toConnectError(refusal, context.traceId)
  if (refusal.domain !== 'gatehouse' && !declared.has(refusal.reason)) {
    log.error({ ...fields(), reason: refusal.reason }, 'the contract of the method does not declare this reason')
    if (strict) return toConnectError(commonRefusal(ErrorReason.INTERNAL), context.traceId)
  }
  if (refusal.code === Code.Unavailable)
    log.warn({ ...fields(), ...refusal.metadata, cause: describeCause(refusal.cause) }, 'dependency unavailable')
  else if (refusal.code === Code.Unauthenticated || refusal.code === Code.PermissionDenied) {
    const { person, workload } = context.caller
    log.info(
      {
        ...fields(),
        reason: refusal.reason,
        source: context.source,
        person: person?.id,
        workload,
        cause: describeCause(refusal.cause),
      },
      'call refused',
    )
  }
  return toConnectError(refusal, context.traceId)
}

function refusalOf(error: unknown, context: CallContext, options: ErrorOptions): Refusal | undefined {
  if (error instanceof Refusal) return error
  const translated = options.translate?.(error)
  if (translated !== undefined) return translated
  if (context.deadline !== undefined && context.deadline <= Date.now())
    return commonRefusal(ErrorReason.DEADLINE_EXCEEDED, {}, { cause: error })
  // What was given up because of it says nothing about the database or a peer.
  if (context.inbound.signal.aborted) return undefined
  if (options.isUnavailable?.(error) === true)
    return commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'database' }, { cause: error })
  const peer = peerOf(error)
  if (peer === undefined || !(error instanceof ConnectError)) return undefined
  switch (error.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: peer }, { cause: error })
    case Code.ResourceExhausted:
      return commonRefusal(ErrorReason.OVERLOADED, {}, { retryAfterSeconds: 1, cause: error })
    default:
      return undefined
  }
}

/** A refusal as it travels: code, sentence, ErrorInfo, and BadRequest or RetryInfo where they belong. */
export function toConnectError(refusal: Refusal, traceId?: string): ConnectError {
  const details: { desc: DescMessage; value: MessageInitShape<DescMessage> }[] = [
    {
      desc: ErrorInfoSchema,
      value: create(ErrorInfoSchema, {
        reason: refusal.reason,
        domain: refusal.domain,
        metadata: { ...refusal.metadata },
      }),
    },
  ]
  if (refusal.violations.length > 0) {
    details.push({
      desc: BadRequestSchema,
      value: create(BadRequestSchema, {
        fieldViolations: refusal.violations.map((violation) => ({
          ...violation,
        })),
      }),
    })
  }
  // Without it, to come again changes nothing: what is too large stays so.
  if (refusal.retryAfterSeconds !== undefined)
    details.push({
      desc: RetryInfoSchema,
      value: create(RetryInfoSchema, { retryDelay: durationFromMs(refusal.retryAfterSeconds * 1000) }),
    })
  return new ConnectError(refusal.message, refusal.code, traceId === undefined ? undefined : { 'x-trace-id': traceId }, details)
}
