import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { errorToJson } from '@connectrpc/connect/protocol-connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toConnectError } from '../answer-error.ts'
import { commonRefusal, type Refusal } from '../refusal.ts'
import { malformed } from './malformed.ts'

/** What goes with every answer; a route that may be cached says so itself. */
export const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

const MAX_HEADERS = 100

// Node keeps the first of two, a proxy may keep the last: whoever sends two wants us to differ.
const SINGLE = new Set([
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'origin',
  'connect-timeout-ms',
  'grpc-timeout',
  'gatehouse-workload',
  'gatehouse-tenant',
])

/** What is wrong with the headers of a request before anybody reads them. */
export function badHeaders(request: FastifyRequest): Refusal | undefined {
  const { rawHeaders, url } = request.raw
  // A whole URL as target names a host beside the Host header: only one of them can be meant.
  if (!url?.startsWith('/')) return malformed('', 'TARGET', 'The request target is no path.')
  if (rawHeaders.length > 2 * MAX_HEADERS) return malformed('', 'HEADERS', `No more than ${MAX_HEADERS} headers are read.`)
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (!SINGLE.has(name)) continue
    if (seen.has(name)) return malformed(name, 'REPEATED', 'The header stands there twice.')
    seen.add(name)
  }
  return undefined
}

/** The refusal for what Fastify threw before a handler ran; undefined for a fault of ours. */
export function refusalOfFastify(error: { readonly code?: string; readonly statusCode?: number }): Refusal | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return malformed('content-type', 'CONTENT_TYPE', 'The content type cannot be read.')
  const status = error.statusCode ?? 500
  return status >= 400 && status < 500 ? malformed('', 'HTTP', 'The request cannot be read.') : undefined
}

const STATUSES = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
])

/** Answers bytes that are no HTTP, and closes. A socket on which a stream is being answered is only closed: the text would stand in the stream. */
export function answerNonsense(error: Error & { code?: string }, socket: Socket, isStreaming: boolean): void {
  if (isStreaming || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = STATUSES.get(error.code ?? '') ?? 400
  const body = JSON.stringify(
    errorToJson(toConnectError(malformed('', 'HTTP', 'The request is not HTTP/1.1 as it is read here.')), undefined),
  )
  const headers = {
    ...SAFE_HEADERS,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
}

/** Puts the headers that go with everything onto an answer. */
export function makeSafe(reply: FastifyReply): void {
  reply.headers(SAFE_HEADERS)
}
