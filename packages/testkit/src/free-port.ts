import { createServer } from 'node:net'

/** A port on 127.0.0.1 that was free a moment ago, for programs that cannot listen on port 0 themselves: the caller retries when it is lost meanwhile. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
