import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a server of a test is asked. */
export interface Question {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  /** Of a form that was posted. */
  readonly form: URLSearchParams
}

/** JSON, a redirect, or bytes as they are. */
export interface Reply {
  readonly status?: number
  readonly json?: unknown
  readonly location?: URL
  readonly type?: string
  readonly text?: string
}

export interface LoopbackServer extends AsyncDisposable {
  readonly origin: string
  /** `host:port`. */
  readonly host: string
}

/** A real server on this machine that answers by a function. */
export async function loopbackServer(answer: (question: Question) => Reply | Promise<Reply>): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    serve(request, response, answer).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    origin: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: (question: Question) => Reply | Promise<Reply>) {
  const { method = '', url = '/', headers } = request
  const form = new URLSearchParams(await text(request))
  const reply = await answer({ method, url: new URL(url, 'http://here'), headers, form })
  const { status = 200, json, location, type = 'application/json' } = reply
  if (location !== undefined) response.writeHead(302, { location: location.href }).end()
  else response.writeHead(status, { 'content-type': type }).end(reply.text ?? JSON.stringify(json))
}
