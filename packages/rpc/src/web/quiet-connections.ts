import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const PATIENCE_MS = 250

/**
 * The connections for which a closing server would wait in vain: those on which nothing was ever asked (browsers open them in advance, and
 * Node does not count them as idle), and those that became idle after the close began.
 */
export class QuietConnections {
  readonly #server: Server
  readonly #silent = new Set<Socket>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#silent.add(socket)
      socket.once('close', () => this.#silent.delete(socket))
    })
    server.on('request', (request) => this.#silent.delete(request.socket))
  }

  /** From now on closes them, each after a moment: on one that was just opened somebody is about to ask. */
  close(): Disposable {
    let waiting = new Set(this.#silent)
    const timer = setInterval(() => {
      for (const socket of waiting) if (this.#silent.has(socket)) socket.destroy()
      waiting = new Set(this.#silent)
      this.#server.closeIdleConnections()
    }, PATIENCE_MS)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }
}
