import type { IncomingMessage, ServerResponse } from 'node:http'
import * as querystring from 'node:querystring'
import { Readable } from 'node:stream'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal, type RawCall } from '@gatehouse/rpc'
import type { LibraryMetadata, OidcActs } from '../core/oidc/oidc-parts.ts'

/** The library's own bound. */
const MAX_BYTES = 56 * 1024
const EMPTY: Buffer = Buffer.alloc(0)
const FORM = /^application\/x-www-form-urlencoded *(; *charset="?utf-8"?)?$/i
/** A client id and a secret that mean the same to every reader of RFC 6749 section 2.3.1. */
const PLAIN = /^[A-Za-z0-9_-]{1,256}$/

const WITH_SECRET: ReadonlySet<unknown> = new Set(['client_secret_basic', 'client_secret_post'])

/** A form, with the fields that come once. */
export interface TokenForm {
  readonly text: string
  readonly fields: querystring.ParsedUrlQuery
}

/** Undefined of what is no form: the library says so. */
export async function readForm(request: IncomingMessage): Promise<TokenForm | undefined> {
  if (request.method !== 'POST' || !FORM.test(request.headers['content-type'] ?? '')) return undefined
  const text = await readText(request)
  return { text, fields: querystring.parse(text) }
}

/** Whoever goes away in the middle ends the call by the call's own signal. */
function readText(request: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text: Buffer = EMPTY
  request.on('data', (chunk: Buffer) => {
    text = text.length === 0 ? chunk : Buffer.concat([text, chunk])
    if (text.length <= MAX_BYTES) return
    request.removeAllListeners('data').resume()
    reject(commonRefusal(ErrorReason.REQUEST_TOO_LARGE))
  })
  request.on('end', () => resolve(text.toString()))
  return promise
}

/** A request whose form was read, to be read once more. */
export function withForm(request: IncomingMessage, text: string): IncomingMessage {
  const bytes = Buffer.from(text)
  const { method, url, httpVersion, socket } = request
  const headers = { ...request.headers, 'content-length': String(bytes.length) }
  delete headers['transfer-encoding']
  // Of a request the library reads these, and the stream.
  const again = Object.assign(Readable.from([bytes]), { method, url, httpVersion, socket, headers })
  return again as unknown as IncomingMessage
}

/** A client that proved itself by its secret; undefined where anything is unusual: the library judges that, and refuses in its own words. */
export async function clientOfForm(
  { clients }: Pick<OidcActs, 'clients'>,
  tenant: string,
  { headers }: IncomingMessage,
  { fields }: TokenForm,
): Promise<LibraryMetadata | undefined> {
  // A page has its origin checked there too.
  if (headers.origin !== undefined || fields.client_assertion !== undefined || fields.client_assertion_type !== undefined) return undefined
  const basic = headers.authorization === undefined ? undefined : credentialsIn(headers.authorization)
  if (headers.authorization !== undefined && (basic === undefined || fields.client_secret !== undefined)) return undefined
  const [id, secret] = basic ?? [fields.client_id, fields.client_secret]
  if (!isPlain(id) || !isPlain(secret) || (fields.client_id !== undefined && fields.client_id !== id)) return undefined
  const client = await clients.known(tenant, id)
  // Either way of showing a secret is good for whoever has one, here as in the library.
  if (client === undefined || !WITH_SECRET.has(client.token_endpoint_auth_method)) return undefined
  return clients.secretFits(client.gatehouse_secrets, secret) ? client : undefined
}

function credentialsIn(authorization: string): [string, string] | undefined {
  if (authorization.slice(0, 6).toLowerCase() !== 'basic ') return undefined
  const [id, secret, ...more] = Buffer.from(authorization.slice(6), 'base64').toString().split(':')
  return id === undefined || secret === undefined || more.length > 0 ? undefined : [id, secret]
}

function isPlain(value: unknown): value is string {
  return typeof value === 'string' && PLAIN.test(value)
}

/** Answers with JSON, as nobody may keep it. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}

/** Names the client as the one who acts, for what is written down from here on. */
export function actAs(call: RawCall, client: Pick<LibraryMetadata, 'client_id'>): void {
  call.setCaller({ workload: `client:${client.client_id}` })
}
