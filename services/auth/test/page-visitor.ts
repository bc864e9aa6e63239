import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** What goes out with a request. */
export interface Sent {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

/** A browser, or a program, for which every host is at one port of this machine: the name that it calls by stays what it is. */
export interface Visitor {
  readonly cookies: Map<string, string>
  /** Follows no redirects; keeps and sends cookies, whatever their path. */
  visit(url: string, sent?: Sent): Promise<Response>
}

export function visitorAt(port: number): Visitor {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async visit(url, { method = 'GET', headers = {}, body } = {}) {
      const { host, pathname, search } = new URL(url)
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await answerTo(port, pathname + search, method, { host, ...(cookie !== '' && { cookie }), ...headers }, body)
      for (const each of answer.headers.getSetCookie()) keep(cookies, each)
      return answer
    },
  }
}

function keep(cookies: Map<string, string>, set: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
  if (value === '') cookies.delete(name)
  else cookies.set(name, value)
}

function answerTo(
  port: number,
  path: string,
  method: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (incoming) => {
    const answered = new Headers()
    for (let at = 0; at < incoming.rawHeaders.length; at += 2)
      answered.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
    const { statusCode: status = 0 } = incoming
    const isEmpty = status === 204 || status === 304
    buffer(incoming).then((bytes) => resolve(new Response(isEmpty ? null : new Uint8Array(bytes), { status, headers: answered })), reject)
  })
  call.on('error', reject)
  call.end(body)
  return promise
}
