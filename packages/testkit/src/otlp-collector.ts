import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type ReceivedSpan, readSpans } from './otlp-spans.ts'

/** A collector of OpenTelemetry for tests. */
export interface Collector extends AsyncDisposable {
  /** For `OTLP_ENDPOINT`. */
  readonly endpoint: string
  /** In the order in which they came. */
  readonly spans: readonly ReceivedSpan[]
  /** All bodies that came, as they are once they are unpacked: for whoever looks for what must not be there. */
  readonly bodies: readonly Uint8Array[]
}

/** Starts a collector on 127.0.0.1 that takes traces by OTLP over HTTP, in protobuf. */
export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  const bodies: Uint8Array[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const isWanted =
        request.method === 'POST' && request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf'
      if (!isWanted) {
        response.writeHead(404).end()
        return
      }
      const sent = Buffer.concat(chunks)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
      bodies.push(body)
      spans.push(...readSpans(body))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
