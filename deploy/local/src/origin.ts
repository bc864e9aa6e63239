import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream'
import { create, toBinary } from '@bufbuild/protobuf'
import { pageHeaders } from '@gatehouse/console-server/page-headers'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import type { Mailbox } from './mailbox.ts'
import { answerMailbox } from './mailbox-page.ts'
import type { ServiceName, ServicePorts } from './options.ts'
import { restPrefixes, serviceOfPath } from './routes.ts'

/** What the origin puts together. */
export interface OriginParts {
  /** 0 takes a free one. */
  readonly port: number
  readonly services: Readonly<Record<ServiceName, ServicePorts>>
  /** Web ports of a service that runs more than once, asked for at each request; they take turns. */
  readonly doors?: (service: ServiceName) => readonly number[]
  readonly mailbox: Mailbox
  /** Folder with the built console. */
  readonly pages: string
  /** The document at `/openapi.json`. */
  readonly openapi: string
}

/** The one address that browsers see. */
export interface Origin extends AsyncDisposable {
  readonly port: number
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/**
 * Starts the origin on 127.0.0.1 and ::1: the pages, the web doors behind them and the mailbox. It sets `X-Forwarded-For` afresh, so that nobody can
 * choose it, and hands cookies to auth alone.
 */
export async function startOrigin(parts: OriginParts): Promise<Origin> {
  const prefixes = restPrefixes()
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  let turn = 0
  const doorsOf = (service: ServiceName): readonly number[] => {
    const doors = parts.doors?.(service) ?? []
    if (doors.length === 0) return [parts.services[service].web]
    const first = turn++ % doors.length
    return [...doors.slice(first), ...doors.slice(0, first)]
  }

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    const service = serviceOfPath(path, prefixes)
    if (service && Number(request.headers['content-length'] ?? 0) > largestBytes) return tooLarge(request, response)
    if (service) return forward(request, response, doorsOf(service), service === 'auth', agent)
    if (path === '/api' || path.startsWith('/api/') || path.startsWith('/gatehouse.')) return notServed(response)
    if (path === '/openapi.json') return void answerFile(response, parts.openapi, 'application/json', {})
    const host = request.headers.host ?? ''
    // Another site's name that leads to this machine would let that site's pages read the codes in the mails.
    if (path.startsWith('/dev/') && !loopbackHost.test(host)) return notServed(response)
    if (path.startsWith('/dev/')) return answerMailbox(request, response, path, parts.mailbox)
    // Passkeys and cookies belong to a name, not to an address.
    if (/^(127\.0\.0\.1|\[::1\])(:|$)/.test(host))
      return redirect(response, `http://localhost${host.replace(/^.*?(:\d+)?$/, '$1')}${request.url}`)
    if (request.method !== 'GET' && request.method !== 'HEAD') return notServed(response)
    void answerPage(response, parts.pages, path)
  })
  // Server streams are open for as long as their access token.
  server.requestTimeout = 0
  const servers = [server]
  await listen(server, parts.port, '127.0.0.1')
  const { port } = server.address() as AddressInfo
  // Browsers resolve `localhost` to ::1 first; a machine without IPv6 has the other.
  const six = createServer((request, response) => void server.emit('request', request, response))
  six.requestTimeout = 0
  await listen(six, port, '::1').then(
    () => servers.push(six),
    () => undefined,
  )
  return {
    port,
    async [Symbol.asyncDispose]() {
      agent.destroy()
      await Promise.all(
        servers.map((each) => {
          each.closeAllConnections()
          return new Promise<void>((resolve) => each.close(() => resolve()))
        }),
      )
    },
  }
}

function listen(server: ReturnType<typeof createServer>, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}

/** Names that browsers never look up elsewhere. */
const loopbackHost = /^(127\.0\.0\.1|\[::1\]|([a-z0-9-]+\.)*localhost)(:\d+)?$/i

const largestBytes = 4 * 1024 * 1024

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function forward(request: IncomingMessage, response: ServerResponse, doors: readonly number[], withCookies: boolean, agent: Agent): void {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || hopByHop.has(name) || name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip')
      continue
    if (name === 'cookie' && !withCookies) continue
    headers[name] = value
  }
  // Without its length a body needs the framing that it came in: Node adds none to a GET, and what stands in the body would be the next request.
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  headers.host = (request.headers.host ?? '').replace(/^(127\.0\.0\.1|\[::1\])(?=:|$)/, 'localhost')
  headers['x-forwarded-for'] = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  headers['x-forwarded-proto'] = 'http'
  knock({ request, response, headers, agent }, doors)
}

interface Forwarded {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly headers: Record<string, string | string[]>
  readonly agent: Agent
}

/** Sends a request to the first door that takes the connection. What was sent is not sent again: it may have been done. */
function knock(forwarded: Forwarded, [port, ...others]: readonly number[]): void {
  const { request, response, headers, agent } = forwarded
  const upstream = httpRequest({ host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent })
  let isSent = false
  const send = (): void => {
    isSent = true
    pipeline(request, upstream, () => undefined)
  }
  upstream.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', send)
    else send()
  })
  upstream.on('response', (answer) => {
    const answered = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name)))
    response.writeHead(answer.statusCode ?? 502, answered)
    response.flushHeaders()
    pipeline(answer, response, () => undefined)
  })
  const leave = (): void => void upstream.destroy()
  upstream.on('error', () => {
    if (response.headersSent) return void response.destroy()
    if (!isSent && others.length > 0 && !response.destroyed) {
      response.off('close', leave)
      return knock(forwarded, others)
    }
    refuse(response, 503, 'unavailable', 'DEPENDENCY_UNAVAILABLE', 'The service behind this address cannot be reached right now.', {
      'retry-after': '1',
    })
  })
  response.on('close', leave)
}

// A door that refuses a body while it is still being sent closes the connection, and its answer is lost on the way: the proxy reads on and says it.
function tooLarge(request: IncomingMessage, response: ServerResponse): void {
  const answer = () =>
    refuse(response, 429, 'resource_exhausted', 'REQUEST_TOO_LARGE', 'The request is too large.', { connection: 'close' })
  if (Number(request.headers['content-length']) > 16 * largestBytes) answer()
  else request.on('end', answer).resume()
}

function notServed(response: ServerResponse): void {
  refuse(response, 404, 'unimplemented', 'NOT_SERVED', 'There is no such method here.')
}

/** Connect's error JSON, as the doors write it. */
function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const info = create(ErrorInfoSchema, { reason, domain: 'gatehouse' })
  const value = Buffer.from(toBinary(ErrorInfoSchema, info)).toString('base64').replace(/=+$/, '')
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  response.end(
    JSON.stringify({ code, message, details: [{ type: ErrorInfoSchema.typeName, value, debug: { reason, domain: 'gatehouse' } }] }),
  )
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location, 'cache-control': 'no-store' })
  response.end()
}

async function answerPage(response: ServerResponse, folder: string, path: string): Promise<void> {
  let name: string
  try {
    name = normalize(decodeURIComponent(path))
  } catch {
    name = '/'
  }
  const type = types[extname(name)]
  const file = join(folder, name)
  if (type && !name.includes('\0') && file.startsWith(folder) && (await stat(file).catch(() => undefined))?.isFile()) {
    // Vite puts a hash of the content into these names.
    const cached = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    response.writeHead(200, { ...pageHeaders, 'content-type': type, 'cache-control': cached })
    return void pipeline(createReadStream(file), response, () => undefined)
  }
  if (extname(name) !== '') {
    response.writeHead(404, { ...pageHeaders, 'content-type': 'text/plain; charset=utf-8' })
    return void response.end('There is no such file.\n')
  }
  await answerFile(response, join(folder, 'index.html'), 'text/html; charset=utf-8', pageHeaders)
}

async function answerFile(response: ServerResponse, file: string, type: string, headers: Record<string, string>): Promise<void> {
  try {
    const content = await readFile(file)
    response.writeHead(200, { ...headers, 'content-type': type, 'cache-control': 'no-cache' })
    response.end(content)
  } catch {
    response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`${file} is missing.\n`)
  }
}
