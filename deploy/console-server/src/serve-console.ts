import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './answer.ts'
import type { ConsoleConfig } from './config.ts'
import { readPage, readPages } from './pages.ts'

/** The console's server, ready. Disposing it drains: answers on their way are finished. */
export interface ConsoleServer extends AsyncDisposable {
  readonly ports: { readonly web: number; readonly metrics: number }
}

// A page is half a megabyte: whoever has not taken it by then is gone.
const drainMs = 10_000

/** Reads the pages and opens both ports. */
export async function serveConsole({ listenHost, webPort, metricsPort, pages, openapi }: ConsoleConfig): Promise<ConsoleServer> {
  const content = { pages: await readPages(pages), openapi: await readPage(openapi, '/openapi.json') }
  const answers = new Map<number, number>()
  let draining = false
  const web = createServer((request, response) => {
    response.on('finish', () => answers.set(response.statusCode, (answers.get(response.statusCode) ?? 0) + 1))
    // Whoever keeps a connection through a rollout would keep the old pages.
    if (draining) response.setHeader('connection', 'close')
    answer(content, request, response)
  })
  const inside: RequestListener = (request, response) => {
    const [status, text] = insideAnswer(request.url ?? '/', draining, answers)
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
  }
  await using opened = new AsyncDisposableStack()
  const metrics = opened.adopt(await listen(createServer(inside), metricsPort, listenHost), close)
  opened.defer(() => drain(web))
  await listen(web, webPort, listenHost)
  opened.defer(async () => {
    draining = true
  })
  const owned = opened.move()
  return { ports: { web: portOf(web), metrics: portOf(metrics) }, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function insideAnswer(url: string, draining: boolean, answers: ReadonlyMap<number, number>): [status: number, text: string] {
  if (url === '/healthz') return [200, 'ok\n']
  if (url === '/readyz') return draining ? [503, 'draining\n'] : [200, 'ready\n']
  if (url !== '/metrics') return [404, 'There is /healthz, /readyz and /metrics.\n']
  const lines = [...answers].map(([status, count]) => `gatehouse_console_answers_total{http_response_status_code="${status}"} ${count}`)
  const memory = `process_resident_memory_bytes ${process.memoryUsage.rss()}`
  return [200, `${['# TYPE gatehouse_console_answers_total counter', ...lines, memory].join('\n')}\n`]
}

function listen(server: Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function drain(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), drainMs)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearTimeout(late)
}
