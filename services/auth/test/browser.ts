import { request } from 'node:http'

export interface BrowserAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  /** The JSON of the body. */
  readonly body: Record<string, unknown>
  /** `Set-Cookie` headers. */
  readonly cookies: readonly string[]
  /** The reason of a refusal. */
  readonly reason: string | undefined
}

/** A browser as far as cookies go: says which page it shows and sends what it was given. */
export interface Browser {
  call(method: string, body?: object, headers?: Record<string, string>): Promise<BrowserAnswer>
  get(path: string): Promise<BrowserAnswer>
  /** A REST call. */
  rest(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<BrowserAnswer>
  /** The refresh cookie that it holds, as `name=value`. */
  cookie: string
  /** The cookie of the device. */
  device: string
  /** The one that says that its person trusts it. */
  trust: string
  /** By which OpenID Connect knows it. */
  oidc: string
}

/** Calls a web door as if it stood behind `origin`: a page of that origin in a browser. */
export function openBrowser(port: number, origin = 'http://localhost:8080'): Browser {
  const { host } = new URL(origin)
  const browser: Browser = {
    cookie: '',
    device: '',
    trust: '',
    oidc: '',
    call: (method, body = {}, headers = {}) =>
      send(port, 'POST', `/gatehouse.auth.v1.${method}`, JSON.stringify(body), {
        host,
        origin,
        'content-type': 'application/json',
        'user-agent': 'a browser',
        ...cookiesOf(browser),
        ...headers,
      }).then((answer) => {
        for (const each of answer.cookies) {
          const held = /max-age=0/i.test(each) ? '' : (each.split(';')[0] ?? '')
          browser[nameOf(each)] = held
        }
        return answer
      }),
    get: (path) => send(port, 'GET', path, undefined, { host }),
    rest: (method, path, body, headers = {}) =>
      send(port, method, path, body && JSON.stringify(body), { host, ...(body && { 'content-type': 'application/json' }), ...headers }),
  }
  return browser
}

function nameOf(cookie: string): 'cookie' | 'device' | 'trust' | 'oidc' {
  if (cookie.startsWith('__Host-gatehouse-oidc=')) return 'oidc'
  if (cookie.startsWith('__Host-gatehouse-trust=')) return 'trust'
  return cookie.startsWith('__Host-gatehouse-device=') ? 'device' : 'cookie'
}

function cookiesOf({ cookie, device, trust, oidc }: Browser): { cookie?: string } {
  const held = [cookie, device, trust, oidc].filter((each) => each !== '')
  return held.length === 0 ? {} : { cookie: held.join('; ') }
}

function send(
  port: number,
  method: string,
  path: string,
  body: string | undefined,
  headers: Record<string, string>,
): Promise<BrowserAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const parsed = text.startsWith('{') ? JSON.parse(text) : {}
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: parsed,
          cookies: response.headers['set-cookie'] ?? [],
          reason: parsed.details?.find((detail: { type: string }) => detail.type === 'google.rpc.ErrorInfo')?.debug?.reason,
        })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}
