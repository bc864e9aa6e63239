import type { Socket } from 'node:net'
import type { WebCall } from './web-call.ts'

/** The streams that a door is answering, so that a drain can end them. */
export class OpenStreams {
  readonly #calls = new Set<WebCall>()
  readonly #sockets = new Set<Socket>()
  #ending = false

  /** Whether the streams end because the door closes: for the client that is a good end, after which it comes again. */
  get ending(): boolean {
    return this.#ending
  }

  /** Whether a stream is being answered on this connection. */
  has(socket: Socket): boolean {
    return this.#sockets.has(socket)
  }

  add(call: WebCall): void {
    this.#calls.add(call)
    this.#sockets.add(call.socket)
    if (this.#ending) call.abort()
  }

  delete(call: WebCall): void {
    this.#calls.delete(call)
    this.#sockets.delete(call.socket)
  }

  endAll(): void {
    this.#ending = true
    for (const call of this.#calls) call.abort()
  }
}
