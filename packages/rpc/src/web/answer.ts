import { Code, ConnectError } from '@connectrpc/connect'
import { errorToJson } from '@connectrpc/connect/protocol-connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import type { FastifyReply } from 'fastify'
import { toConnectError } from '../answer-error.ts'
import type { Log } from '../log.ts'
import { commonRefusal, Refusal } from '../refusal.ts'
import { CallTrace } from '../trace.ts'
import { ACCEPTED_ENCODINGS } from './body.ts'
import { httpStatus } from './http-status.ts'
import { malformed } from './malformed.ts'
import type { HeaderSink } from './web-call.ts'

/** Sends a JSON text under Connect's plain type; without a serializer Fastify would add a charset. A text leaves in one write with its headers. */
export function sendJson(reply: FastifyReply, text: string): void {
  reply.header('content-type', 'application/json').serializer(asItIs).send(text)
}

const asItIs = (text: unknown): string => String(text)

/** HTTP status of an error. */
export function statusOf(error: ConnectError): number {
  return httpStatus(error.code, error.findDetails(ErrorInfoSchema)[0]?.reason)
}

/** Whatever was thrown, as it travels. A fault of the door itself is logged and answered neutrally. */
export function errorOf(thrown: unknown, reply: FastifyReply, log: Log): ConnectError {
  if (thrown instanceof ConnectError) return thrown
  const { traceId } = new CallTrace(headerOf(reply, 'traceparent'))
  if (thrown instanceof Refusal) return toConnectError(thrown, traceId)
  log.error(
    { url: reply.request.routeOptions.url, trace_id: traceId, cause: thrown instanceof Error ? thrown.stack : String(thrown) },
    'web door failed',
  )
  return toConnectError(commonRefusal(ErrorReason.INTERNAL), traceId)
}

/** Answers an error in Connect's JSON, whichever protocol the call came in. */
export function sendError(error: ConnectError, reply: FastifyReply, status = statusOf(error)): void {
  markError(error, reply)
  sendJson(reply.code(status), JSON.stringify(errorToJson(error, undefined)))
}

/** Headers that go with an error in every protocol. */
export function markError(error: ConnectError, reply: Pick<HeaderSink, 'header'>): void {
  reply.header('cache-control', 'no-store')
  for (const [name, value] of error.metadata) reply.header(name, value)
  if (error.code === Code.Unimplemented && statusOf(error) === 415) reply.header('accept-encoding', ACCEPTED_ENCODINGS)
  if (error.code === Code.Unauthenticated) reply.header('www-authenticate', 'Bearer')
  const retry = error.code === Code.ResourceExhausted ? error.findDetails(RetryInfoSchema)[0]?.retryDelay : undefined
  if (retry) reply.header('retry-after', String(Math.max(1, Number(retry.seconds))))
}

/** 415: the path is served, and not in this form. */
export function sendUnknownType(reply: FastifyReply, accepted: string): void {
  reply.header('accept-post', accepted)
  sendError(errorNow(malformed('content-type', 'CONTENT_TYPE', `One of ${accepted} was expected.`), reply), reply, 415)
}

/** 405: the path is served, and not with this method. */
export function sendMethodNotAllowed(reply: FastifyReply, allowed: string): void {
  reply.header('allow', allowed)
  sendError(errorNow(commonRefusal(ErrorReason.NOT_SERVED), reply), reply, 405)
}

/** Answers what is not served here, to whatever method on whatever path. */
export function sendNotServed(reply: FastifyReply): void {
  sendError(errorNow(commonRefusal(ErrorReason.NOT_SERVED), reply), reply)
}

function errorNow(refusal: Refusal, reply: FastifyReply): ConnectError {
  return toConnectError(refusal, new CallTrace(headerOf(reply, 'traceparent')).traceId)
}

function headerOf(reply: FastifyReply, name: string): string | undefined {
  const value = reply.request.raw.headers[name]
  return typeof value === 'string' ? value : undefined
}
