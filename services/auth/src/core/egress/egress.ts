import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** What goes out. */
export interface EgressRequest {
  readonly method?: string | undefined
  readonly headers?: HeadersInit | undefined
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

/** Asks a server whose address somebody else chose. */
export type Egress = (url: string | URL, request?: EgressRequest) => Promise<Response>

/** It was not asked, or did not answer within the bounds: `message` says which, and is for the log. */
export class EgressFailed extends Error {
  override readonly name = 'EgressFailed'
}

export interface EgressOptions {
  /** `host` or `host:port` that may be at an address of one's own network; on this machine without TLS too. */
  readonly allow?: readonly string[]
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

const thisMachine = /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * The way out to servers that administrators name: with TLS, to public addresses, looked at when the connection is made so that a name cannot change its mind in between; a
 * bounded answer in a bounded time, and no redirect followed.
 */
export function createEgress({ allow = [], timeoutMs = 5_000, maxBytes = 512 * 1024 }: EgressOptions = {}): Egress {
  const allowed = new Set(allow.map((each) => each.toLowerCase()))
  return async (given, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = new URL(given)
    if (url.username !== '' || url.password !== '') throw new EgressFailed(`${url.origin} is asked with a user in its address`)
    const isAllowed = isNamed(url, allowed)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isAllowed && thisMachine.test(url.hostname)))
      throw new EgressFailed(`${url.origin} is not https`)
    if (!isAllowed && isNearLiteral(url)) throw notPublic(url.host)
    const bounds = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])])
    return await ask(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: textOf(body),
      signal: bounds,
      lookup: isAllowed ? near : publicOnly,
      maxBytes,
    })
  }
}

/** Whether an address is refused by how it is written: a number of one's own network that `allow` does not name. What a name stands for shows when it is asked. */
export function isRefused(url: URL, allow: readonly string[]): boolean {
  return isNearLiteral(url) && !isNamed(url, new Set(allow.map((each) => each.toLowerCase())))
}

function isNearLiteral({ hostname }: URL): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '')
  return isIP(literal) !== 0 && !isPublicAddress(literal)
}

function isNamed({ host, hostname }: URL, allowed: ReadonlySet<string>): boolean {
  return allowed.has(host) || allowed.has(hostname)
}

interface Asked {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal
  readonly lookup: LookupFunction
  readonly maxBytes: number
}

function ask(url: URL, { method, headers, body, signal, lookup: find, maxBytes }: Asked): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const fail = (cause: unknown) =>
    reject(cause instanceof EgressFailed ? cause : new EgressFailed(`${url.origin} does not answer`, { cause }))
  const options = { method, headers: { ...headers, 'user-agent': 'gatehouse' }, agent: false, signal, lookup: find }
  const call = (url.protocol === 'https:' ? overHttps : overHttp)(url, options, (incoming) => {
    const pieces: Buffer[] = []
    let bytes = 0
    incoming.on('data', (piece: Buffer) => {
      bytes += piece.length
      pieces.push(piece)
      if (bytes <= maxBytes) return
      fail(new EgressFailed(`${url.origin} answers more than ${maxBytes} bytes`))
      call.destroy()
    })
    incoming.on('error', fail)
    incoming.on('end', () => {
      const answered = new Headers()
      for (let at = 0; at < incoming.rawHeaders.length; at += 2)
        answered.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
      const { statusCode: status = 0 } = incoming
      // Fetch has no answers of other kinds, and knows a few that have no body.
      if (status < 200 || status > 599) fail(new EgressFailed(`${url.origin} answers ${status}`))
      else resolve(new Response([204, 205, 304].includes(status) ? null : Buffer.concat(pieces), { status, headers: answered }))
    })
  })
  call.on('error', fail)
  call.end(body)
  return promise
}

function textOf(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof URLSearchParams) return String(body)
  if (body instanceof Uint8Array) return Buffer.from(body).toString()
  throw new TypeError('a body of this kind is not sent')
}

/** Names below `localhost` are this machine, whatever a resolver knows of them (RFC 6761, 6.3). */
const near: LookupFunction = (hostname, options, found) => {
  lookup(hostname.endsWith('.localhost') ? 'localhost' : hostname, options as LookupOptions, found as never)
}

/** Every address that a name has must be public: whichever is taken, it was looked at. */
const publicOnly: LookupFunction = (hostname, options, found) => {
  lookup(hostname, { ...(options as LookupOptions), all: true }, (error, addresses: LookupAddress[]) => {
    const [first] = addresses ?? []
    if (error !== null || first === undefined) return found(error ?? new EgressFailed(`${hostname} has no address`), '', 4)
    if (!addresses.every(({ address }) => isPublicAddress(address))) return found(notPublic(hostname), '', 4)
    if (options.all === true) found(null, addresses as unknown as string)
    else found(null, first.address, first.family)
  })
}

function notPublic(host: string): EgressFailed {
  return new EgressFailed(`${host} is at no public address, and OIDC_EGRESS_ALLOW does not name it`)
}
