import { contentTypeStreamRegExp, contentTypeUnaryRegExp, parseContentType, parseTimeout } from '@connectrpc/connect/protocol-connect'
import { parseTimeout as parseGrpcTimeout } from '@connectrpc/connect/protocol-grpc'
import { parseContentType as parseGrpcWeb } from '@connectrpc/connect/protocol-grpc-web'
import { malformed } from './malformed.ts'

/** How an RPC call is written. */
export interface RpcProtocol {
  readonly name: 'connect-unary' | 'connect-stream' | 'grpc-web'
  /** Protobuf bytes; JSON otherwise. */
  readonly binary: boolean
}

const UNARY_JSON: RpcProtocol = { name: 'connect-unary', binary: false }
const UNARY_PROTO: RpcProtocol = { name: 'connect-unary', binary: true }

/** The protocol that a `Content-Type` names; undefined where the RPC does not speak it (415). gRPC-Web as text is not spoken: every browser can fetch bytes. */
export function protocolOf(contentType: string | undefined, unary: boolean): RpcProtocol | undefined {
  if (contentType === undefined) return undefined
  if (unary && contentType === 'application/json') return UNARY_JSON
  if (unary && contentType === 'application/proto') return UNARY_PROTO
  const fits = unary ? contentTypeUnaryRegExp : contentTypeStreamRegExp
  if (fits.test(contentType)) {
    const { binary = false } = parseContentType(contentType) ?? {}
    return { name: unary ? 'connect-unary' : 'connect-stream', binary }
  }
  const grpcWeb = parseGrpcWeb(contentType)
  return grpcWeb && !grpcWeb.text ? { name: 'grpc-web', binary: grpcWeb.binary } : undefined
}

/** Content types that an RPC takes, for the header of a 415. */
export function acceptedTypes(unary: boolean): string {
  const connect = unary ? 'application/json, application/proto' : 'application/connect+json, application/connect+proto'
  return `${connect}, application/grpc-web+proto, application/grpc-web+json`
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * How long the client waits, in milliseconds; undefined where it does not say.
 * @throws Refusal MALFORMED_REQUEST
 */
export function timeoutOf(headers: Headers, protocol: RpcProtocol['name'] = 'connect-unary'): number | undefined {
  const header = protocol === 'grpc-web' ? 'grpc-timeout' : 'connect-timeout-ms'
  const value = headers[header]
  if (value === undefined) return undefined
  const parse = protocol === 'grpc-web' ? parseGrpcTimeout : parseTimeout
  const { timeoutMs, error } = parse(String(value), Number.MAX_SAFE_INTEGER)
  if (error) throw malformed(header, 'TIMEOUT', 'The timeout cannot be read.')
  return timeoutMs
}

/** @throws Refusal MALFORMED_REQUEST for a version of the Connect protocol that we do not speak. */
export function checkVersion(version: string | string[] | undefined): void {
  if (version !== undefined && version !== '1')
    throw malformed('connect-protocol-version', 'VERSION', 'Version 1 of the Connect protocol is spoken here.')
}
