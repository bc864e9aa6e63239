import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { isIP } from 'node:net'

/** How we call addresses that clients and administrators wrote down. */
export interface Egress {
  readonly fetch: (to: string | URL, init?: RequestInit) => Promise<Response>
}

export interface EgressOptions {
  /** `host` or `host:port` that may be private, and may be http. */
  readonly allow?: readonly string[]
  readonly timeoutMs?: number
  readonly mostBytes?: number
}

/** An address that we do not call. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused'
}

type Dispatched = RequestInit & { dispatcher?: unknown }

/**
 * Calls out within bounds: https only, never to a private network, following nobody anywhere else, for seconds and kilobytes. What an operator allowed by name may be http, and near.
 */
export function createEgress({ allow = [], timeoutMs = 2_500, mostBytes = 64 * 1024 }: EgressOptions = {}): Egress {
  const guard = once(guardedDispatcher)
  return {
    async fetch(to, init = {}) {
      const url = new URL(to)
      const isAllowed = allow.includes(url.hostname) || allow.includes(`${url.hostname}:${portOf(url)}`)
      if (url.username !== '' || url.password !== '') throw new EgressRefused('the address has a user in it')
      if (url.protocol !== 'https:' && !(isAllowed && url.protocol === 'http:')) throw new EgressRefused('the address is not https')
      if (!isAllowed) await refuseSpecial(url)
      const timeout = AbortSignal.timeout(timeoutMs)
      const { dispatcher: _, ...plain }: Dispatched = init
      const options: Dispatched = {
        ...plain,
        redirect: 'manual',
        signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
        ...(!isAllowed && { dispatcher: await guard() }),
      }
      return await whole(await fetch(url, options), mostBytes)
    },
  }
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port
  return protocol === 'https:' ? '443' : '80'
}

/** An address that is written as a number is looked up nowhere. */
async function refuseSpecial({ hostname }: URL): Promise<void> {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) === 0) return
  const { isSpecialUseIP } = await special()
  // However an IPv4 address is dressed up.
  if (isSpecialUseIP(address) || address.startsWith('::ffff:')) throw new EgressRefused('the address is in a private network')
}

const special = once(async () => await import('oidc-provider/lib/helpers/fetch_request.js'))

interface Dispatcher {
  on(event: 'connect', listener: (origin: URL, targets: readonly object[]) => void): void
}
type AgentClass = new (options: { connect: { lookup: typeof guardedLookup; timeout: number } }) => Dispatcher

/** Of the `fetch` that is built in: with nothing that guards it, nothing is called. */
async function guardedDispatcher(): Promise<Dispatcher> {
  await special()
  // The built-in one comes with the first use of what belongs to it.
  void Response
  const known = globalThis as unknown as Record<symbol, object | undefined>
  const own = known[Symbol.for('undici.globalDispatcher.2')] ?? known[Symbol.for('undici.globalDispatcher.1')]
  if (own === undefined) throw new EgressRefused('calls cannot be guarded')
  const Agent = own.constructor as AgentClass
  return new Agent({ connect: { lookup: guardedLookup, timeout: 2_000 } })
}

type Found = (error: Error | null, address?: string | LookupAddress[], family?: number) => void

/** The answer that is checked is the one that is connected to: a name cannot be another one a moment later. */
function guardedLookup(hostname: string, options: LookupOptions, found: Found): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return found(error)
    special().then(
      ({ isSpecialUseIP }) => {
        const [first] = addresses
        if (first === undefined || addresses.some(({ address }) => isSpecialUseIP(address) || address.startsWith('::ffff:')))
          return found(new EgressRefused('the name is of a private network'))
        if (options.all) found(null, addresses)
        else found(null, first.address, first.family)
      },
      (cause: Error) => found(cause),
    )
  })
}

/** Reads the answer to its end, within bounds, so that the connection is free and the time is up for the body too. */
async function whole(answer: Response, mostBytes: number): Promise<Response> {
  const { status, headers, body } = answer
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop cancels what is left.
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new EgressRefused('the answer is too long')
    chunks.push(chunk)
  }
  const isEmpty = status === 204 || status === 205 || status === 304
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers })
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
