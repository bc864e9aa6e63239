import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** A collector that takes every batch of spans and reads none. */
export interface TraceSinkActs extends CommonActs {
  /** Answers its port. */
  listen(): Promise<number>
  /** Bytes that came until now. */
  taken(): Promise<number>
}

let bytes = 0

answerParent<Omit<TraceSinkActs, 'usage'>>({
  async listen() {
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  },
  taken: async () => bytes,
})
