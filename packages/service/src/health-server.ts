import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Telemetry } from '@gatehouse/telemetry'

/** `/healthz`, `/readyz` and `/metrics` of a process. */
export interface HealthServer extends AsyncDisposable {
  readonly port: number
}

/** Starts it; port 0 takes a free one. `isReady` is asked for each `/readyz`. */
export async function startHealthServer(host: string, port: number, isReady: () => boolean, telemetry: Telemetry): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
    if (path === '/metrics') return telemetry.answerMetrics(request, response)
    const known = path === '/healthz' || path === '/readyz'
    const status = !known ? 404 : path === '/healthz' || isReady() ? 200 : 503
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    response.end(status === 200 ? 'ok\n' : known ? 'not ready\n' : 'There is no such page.\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
