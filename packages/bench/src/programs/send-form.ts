import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** What a server answered. */
export interface FormAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const agent = new Agent({ keepAlive: true })

/** Sends a form over a kept connection, or asks without one. */
export function sendForm(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  form?: Readonly<Record<string, string>>,
): Promise<FormAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<FormAnswer>()
  const type = form && { 'content-type': 'application/x-www-form-urlencoded' }
  const order = { agent, host: '127.0.0.1', port, method: form ? 'POST' : 'GET', path, headers: { ...headers, ...type } }
  const outgoing = request(order, (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { statusCode: status = 0, headers: answered } = incoming
      resolve({ status, headers: answered, text: Buffer.concat(chunks).toString() })
    })
  })
  outgoing.on('error', reject)
  outgoing.end(form && String(new URLSearchParams(form)))
  return promise
}
