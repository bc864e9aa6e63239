import type { ConnectError } from '@connectrpc/connect'
import { endStreamFlag, endStreamToJson } from '@connectrpc/connect/protocol-connect'
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc'
import { trailerFlag, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web'
import { decompress, MAX_BODY_BYTES } from './body.ts'
import { malformed } from './malformed.ts'

/** How the answers of one call follow each other on the wire. */
export interface Framing {
  readonly contentType: string
  /** Request header that names the compression of the request's message. */
  readonly encodingHeader: string
  /** The last frame: how it ended. */
  end(error: ConnectError | undefined): Buffer
}

/** Connect's streams: the last frame is JSON. */
export function connectFraming(binary: boolean): Framing {
  return {
    contentType: binary ? 'application/connect+proto' : 'application/connect+json',
    encodingHeader: 'connect-content-encoding',
    end: (error) => frame(Buffer.from(JSON.stringify(endStreamToJson(new Headers(), error, undefined))), endStreamFlag),
  }
}

/** gRPC-Web: the last frame holds the trailers. */
export function grpcWebFraming(binary: boolean): Framing {
  return {
    contentType: binary ? 'application/grpc-web+proto' : 'application/grpc-web+json',
    encodingHeader: 'grpc-encoding',
    end: (error) => frame(trailerSerialize(setTrailerStatus(new Headers(), error)), trailerFlag),
  }
}

const HEAD_BYTES = 5
const COMPRESSED = 1

/** A flag byte, the length in four bytes, the message. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + message.length)
  bytes.writeUInt8(flags, 0)
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, HEAD_BYTES)
  return bytes
}

/**
 * The one message of a request; no RPC of ours takes a stream of them.
 * @throws Refusal MALFORMED_REQUEST, REQUEST_TOO_LARGE, ENCODING_NOT_SUPPORTED
 */
export async function unframe(body: Buffer, encoding: string | undefined): Promise<Uint8Array> {
  if (body.length < HEAD_BYTES) throw malformed('', 'FRAME', 'The body has no message.')
  const flags = body.readUInt8(0)
  const length = body.readUInt32BE(1)
  const message = body.subarray(HEAD_BYTES)
  if (length > MAX_BODY_BYTES || length !== message.length) throw malformed('', 'FRAME', 'The body is not exactly one message.')
  if (flags === 0) return message
  if (flags !== COMPRESSED || encoding === undefined) throw malformed('', 'FRAME', 'The message has flags that cannot be read.')
  return decompress(message, encoding)
}
