import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { fromBinary } from '@bufbuild/protobuf'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { StatusSchema } from '@gatehouse/contracts/google/rpc/status_pb'

/** What a call came to, read without any gRPC library. */
export interface RawAnswer {
  readonly http: number
  /** `undefined` where the stream was reset without a status. */
  readonly code: number | undefined
  readonly message: string
  readonly reason: string | undefined
  /** Fields of BadRequest. */
  readonly fields: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly resetCode: number
}

/** Opens a plain HTTP/2 session to a door. */
export async function openSession(port: number): Promise<ClientHttp2Session & AsyncDisposable> {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve())
    session.once('error', reject)
  })
  return Object.assign(session, {
    async [Symbol.asyncDispose]() {
      session.destroy()
    },
  })
}

/** A gRPC message frame: flag, length, bytes. */
export function frame(bytes: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(flags, 0)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Makes one call with exactly these bytes as its body. */
export function rawCall(
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers })
  const received: IncomingHttpHeaders = {}
  stream.on('response', (head) => Object.assign(received, head))
  stream.on('trailers', (trailers) => Object.assign(received, trailers))
  stream.on('error', () => {})
  stream.resume()
  stream.end(body)
  return new Promise((resolve) => stream.once('close', () => resolve(answerOf(received, stream.rstCode))))
}

function answerOf(headers: IncomingHttpHeaders, resetCode: number): RawAnswer {
  const status = headers['grpc-status']
  const details = headers['grpc-status-details-bin']
  const { details: packed } = typeof details === 'string' ? fromBinary(StatusSchema, Buffer.from(details, 'base64')) : { details: [] }
  const bytesOf = (name: string) => packed.find(({ typeUrl }) => typeUrl.endsWith(`/${name}`))?.value
  const info = bytesOf('google.rpc.ErrorInfo')
  const bad = bytesOf('google.rpc.BadRequest')
  return {
    http: Number(headers[':status'] ?? 0),
    code: status === undefined ? undefined : Number(status),
    message: String(headers['grpc-message'] ?? ''),
    reason: info === undefined ? undefined : fromBinary(ErrorInfoSchema, info).reason,
    fields: bad === undefined ? [] : fromBinary(BadRequestSchema, bad).fieldViolations.map(({ field }) => field),
    headers,
    resetCode,
  }
}
