import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { acceptedEncoding } from './accepted-encoding.ts'
import { pageHeaders } from './page-headers.ts'
import type { Page } from './pages.ts'

/** What the console's server has to give. */
export interface Content {
  readonly pages: ReadonlyMap<string, Page>
  readonly openapi: Page
}

/** Answers a request of a browser: a file, the document of the REST door, or `index.html` for every address that is the console's own. */
export function answer(content: Content, request: IncomingMessage, response: ServerResponse): void {
  // Nobody sends a body here; one that comes is not waited for.
  request.resume()
  const path = pathOf(request.url ?? '/')
  if (isOfServices(path)) notServed(response)
  else if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405, 'Only GET and HEAD.\n', { allow: 'GET, HEAD' })
  else {
    const page = pageAt(path, content)
    if (page) send(page, request, response)
    else refuse(response, 404, 'There is no such file.\n')
  }
}

function pageAt(path: string, { pages, openapi }: Content): Page | undefined {
  if (path === '/openapi.json') return openapi
  // A name with an ending is a file's: a page in place of a missing script would be run as one.
  return pages.get(path) ?? (extname(path) === '' ? pages.get('/index.html') : undefined)
}

function pathOf(url: string): string {
  try {
    return decodeURIComponent(url.split('?', 1)[0] as string)
  } catch {
    return '/'
  }
}

/** What a gateway should have brought to a service, and did not. */
function isOfServices(path: string): boolean {
  return /^\/(api|oidc|\.well-known)(\/|$)/.test(path) || path.startsWith('/gatehouse.')
}

function send(page: Page, request: IncomingMessage, response: ServerResponse): void {
  const encoding = acceptedEncoding(page.bodies, request.headers['accept-encoding'])
  const body = page.bodies[encoding] ?? page.bodies.identity
  const etag = `"${page.etag}-${encoding}"`
  const headers = { ...pageHeaders, 'cache-control': page.cacheControl, etag, vary: 'accept-encoding' }
  if (isKnown(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, {
    ...headers,
    'content-type': page.type,
    'content-length': body.length,
    ...(encoding !== 'identity' && { 'content-encoding': encoding }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** A gateway that compresses by itself makes our tag a weak one. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...pageHeaders, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers })
  response.end(text)
}

// google.rpc.ErrorInfo { reason: "NOT_SERVED", domain: "gatehouse" } as bytes: the whole codec for eleven words that never change would be the
// one thing that this image has to install.
const notServedInfo = Buffer.from('\n\nNOT_SERVED\x12\tgatehouse')

/** Connect's error JSON, as the web doors write it for what they do not serve. */
function notServed(response: ServerResponse): void {
  const value = notServedInfo.toString('base64').replace(/=+$/, '')
  const debug = { reason: 'NOT_SERVED', domain: 'gatehouse' }
  response.writeHead(404, { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(
    JSON.stringify({
      code: 'unimplemented',
      message: 'There is no such method here.',
      details: [{ type: 'google.rpc.ErrorInfo', value, debug }],
    }),
  )
}
