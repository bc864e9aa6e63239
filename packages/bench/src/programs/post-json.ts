import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** What a server answered. */
export interface JsonAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  /** The body as it came, for whoever complains. */
  readonly text: string
}

const agent = new Agent({ keepAlive: true })

/** Posts JSON over a kept connection. */
export function postJson(port: number, path: string, headers: Readonly<Record<string, string>>, body: object): Promise<JsonAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, host: '127.0.0.1', port, method: 'POST', path, headers: { 'content-type': 'application/json', ...headers } },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const isJson = incoming.headers['content-type']?.includes('json')
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: isJson ? JSON.parse(text) : undefined, text })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}
