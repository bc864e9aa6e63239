import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A relying party that wants to be told of ended sessions. */
export interface LogoutReceiver extends AsyncDisposable {
  readonly uri: string
  /** Logout tokens, as they came. */
  readonly tokens: string[]
  /** What it answers with. */
  status: number
}

export async function openLogoutReceiver(): Promise<LogoutReceiver> {
  const tokens: string[] = []
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request))
    const isForm = request.method === 'POST' && request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
    tokens.push((isForm && form.get('logout_token')) || `no logout token: ${request.method} ${form}`)
    response.writeHead(receiver.status, receiver.status === 302 ? { location: '/elsewhere' } : {}).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: LogoutReceiver = {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/signed-out`,
    tokens,
    status: 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}
