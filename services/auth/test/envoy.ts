import { connect } from 'node:http2'
import protobuf from 'protobufjs'

/**
 * Envoy's contract as Envoy writes it, as far as its filter fills it in: fields that we do not know are among them. Read by another library than ours, so that it is the bytes that
 * agree and not two uses of one description.
 */
const contract = `
syntax = "proto3";
package envoy.service.auth.v3;
message Peer { string service = 2; map<string, string> labels = 3; string principal = 4; string certificate = 5; }
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }
message HeaderMap { repeated HeaderValue headers = 1; }
message BoolValue { bool value = 1; }
message HeaderValueOption {
  enum HeaderAppendAction { APPEND_IF_EXISTS_OR_ADD = 0; ADD_IF_ABSENT = 1; OVERWRITE_IF_EXISTS_OR_ADD = 2; OVERWRITE_IF_EXISTS = 3; }
  HeaderValue header = 1; BoolValue append = 2; HeaderAppendAction append_action = 3; bool keep_empty_value = 4;
}
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message HttpRequest {
  string id = 1; string method = 2; map<string, string> headers = 3; HeaderMap header_map = 13; string path = 4; string host = 5; string scheme = 6;
  string query = 7; string fragment = 8; int64 size = 9; string protocol = 10; string body = 11; bytes raw_body = 12;
}
message Request { Timestamp time = 1; HttpRequest http = 2; }
message AttributeContext { Peer source = 1; Peer destination = 2; Request request = 4; map<string, string> context_extensions = 10; }
message CheckRequest { AttributeContext attributes = 1; }
message HttpStatus { int32 code = 1; }
message Status { int32 code = 1; string message = 2; }
message DeniedHttpResponse { HttpStatus status = 1; repeated HeaderValueOption headers = 2; string body = 3; }
message OkHttpResponse { repeated HeaderValueOption headers = 2; repeated string headers_to_remove = 5; repeated HeaderValueOption response_headers_to_add = 6; }
message CheckResponse { Status status = 1; oneof http_response { DeniedHttpResponse denied_response = 2; OkHttpResponse ok_response = 3; } }
`

const { root } = protobuf.parse(contract)
const CheckRequest = root.lookupType('envoy.service.auth.v3.CheckRequest')
const CheckResponse = root.lookupType('envoy.service.auth.v3.CheckResponse')

interface SentHeader {
  readonly header: { readonly key: string; readonly value: string }
  readonly appendAction?: number
}

/** What a gateway is told, as it reads it. */
export interface Told {
  /** Of the call itself. */
  readonly grpcStatus: string
  readonly status: { readonly code: number }
  readonly okResponse?: { readonly headers?: readonly SentHeader[]; readonly headersToRemove?: readonly string[] }
  readonly deniedResponse?: { readonly status: { readonly code: number }; readonly headers?: readonly SentHeader[]; readonly body?: string }
}

export interface PassedRequest {
  readonly headers?: Readonly<Record<string, string>>
  /** As bytes, one by one, in place of `headers`. */
  readonly raw?: readonly (readonly [string, string])[]
  readonly extensions?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path?: string
}

/** A gateway that asks about requests over plain HTTP/2, with `metadata` as its `initial_metadata`. */
export function openEnvoy(port: number, metadata: Readonly<Record<string, string>>) {
  const session = connect(`http://127.0.0.1:${port}`)
  return {
    check({ headers = {}, raw, extensions = {}, method = 'GET', path = '/orders?page=2' }: PassedRequest): Promise<Told> {
      const headerMap = raw && { headers: raw.map(([key, value]) => ({ key, rawValue: Buffer.from(value) })) }
      const http = { id: '1', method, headers, headerMap, path, host: 'api.example', scheme: 'https', size: -1, protocol: 'HTTP/2' }
      const request = { time: { seconds: 1, nanos: 2 }, http }
      const attributes = { source: { principal: 'spiffe://a/b', labels: { a: 'b' } }, request, contextExtensions: extensions }
      return call(CheckRequest.encode(CheckRequest.fromObject({ attributes })).finish())
    },
    [Symbol.dispose]: () => session.destroy(),
  }

  function call(message: Uint8Array): Promise<Told> {
    const { promise, resolve, reject } = Promise.withResolvers<Told>()
    const head = {
      ':method': 'POST',
      ':path': '/envoy.service.auth.v3.Authorization/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    }
    const stream = session.request({ ...head, ...metadata })
    const chunks: Buffer[] = []
    let grpcStatus = ''
    const note = (trailers: Readonly<Record<string, unknown>>) => {
      grpcStatus = String(trailers['grpc-status'] ?? grpcStatus)
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () => {
      const answer = CheckResponse.toObject(CheckResponse.decode(Buffer.concat(chunks).subarray(5)), { defaults: false })
      resolve({ status: { code: 0 }, ...answer, grpcStatus } as Told)
    })
    const frame = Buffer.alloc(5)
    frame.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([frame, message]))
    return promise
  }
}

/** The headers that a gateway is to set. */
export function headersOf({ headers = [] }: { readonly headers?: readonly SentHeader[] } = {}): Record<string, string> {
  return Object.fromEntries(headers.map(({ header }) => [header.key, header.value]))
}
