import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 250
const POLL_MS = 50

/**
 * The connections for which a closing server would wait in vain: those on which nothing was ever asked (browsers open them in advance, and
 * Node does not count them as idle), and those that became idle after the close began.
 */
export class QuietConnections {
  readonly #server: Server
  readonly #silent = new Set<Socket>()
  readonly #open = new Set<Socket>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#silent.add(socket)
      this.#open.add(socket)
      socket.once('close', () => {
        this.#silent.delete(socket)
        this.#open.delete(socket)
      })
    })
    server.on('request', (request) => this.#silent.delete(request.socket))
  }

  /** Settles when no connection is open any more, or after `patienceMs`. */
  async allClosed(patienceMs: number): Promise<void> {
    for (const end = performance.now() + patienceMs; this.#open.size > 0 && performance.now() < end; )
      await delay(Math.min(POLL_MS, Math.max(0, end - performance.now())))
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
