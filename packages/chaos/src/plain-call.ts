import { Agent, request } from 'node:http'

/** One HTTP call as a program without a library for us makes it: the answer, or an error where there was none. */
export type PlainCall = (
  method: string,
  path: string,
  given: { readonly token?: string; readonly body?: object },
) => Promise<{ readonly status: number; readonly text: string }>

// A call that a restart makes fail fails before; a machine that has no time for anybody is none of it.
const timeoutMs = 20_000

const headersOf = (token: string | undefined, body: object | undefined): Record<string, string> => ({
  ...(token !== undefined && { authorization: `Bearer ${token}` }),
  ...(body !== undefined && { 'content-type': 'application/json', 'connect-protocol-version': '1' }),
})

/** `fetch`, which keeps its connections, to one address. */
export function fetching(origin: string): PlainCall {
  return async (method, path, { token, body }) => {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: headersOf(token, body),
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: answer.status, text: await answer.text() }
  }
}

/** Node's own client with connections that it keeps, to a port that leads to one of several doors and is told another host. */
export function keeping(portOf: (path: string) => number, host: string): PlainCall & Disposable {
  const agent = new Agent({ keepAlive: true })
  const call: PlainCall = (method, path, { token, body }) =>
    new Promise((resolve, reject) => {
      const headers = { host, ...headersOf(token, body) }
      const options = { host: '127.0.0.1', port: portOf(path), path, method, headers, agent, signal: AbortSignal.timeout(timeoutMs) }
      const outgoing = request(options, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      })
      outgoing.on('error', reject)
      outgoing.end(body && JSON.stringify(body))
    })
  return Object.assign(call, { [Symbol.dispose]: () => agent.destroy() })
}
