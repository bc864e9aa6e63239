import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const attempt = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/**
 * A port on 127.0.0.1 that was free a moment ago, for programs that cannot listen on port 0 themselves: the caller retries when it is lost meanwhile.
 * It lies below those that systems give to outgoing connections, so that a program that is started again finds it free.
 */
export async function freePort(): Promise<number> {
  for (let tries = 1; tries <= 1000; tries++) {
    const port = randomInt(10_240, 32_768)
    if (await attempt(port)) return port
  }
  throw new Error('no port is free')
}
