import type { Socket } from 'node:net'
import { overloaded } from '../overloaded.ts'
import type { WebCall } from './web-call.ts'

/** The streams that a door is answering, so that a drain can end them. */
export class OpenStreams {
  readonly #calls = new Set<WebCall>()
  readonly #sockets = new Set<Socket>()
  readonly #max: number
  #ending = false

  /** @param max how many may be open at once. */
  constructor(max: number) {
    this.#max = max
  }

  /** Whether the streams end because the door closes: for the client that is a good end, after which it comes again. */
  get ending(): boolean {
    return this.#ending
  }

  /** Whether a stream is being answered on this connection. */
  has(socket: Socket): boolean {
    return this.#sockets.has(socket)
  }

  /** @throws Refusal OVERLOADED where there are too many already. */
  add(call: WebCall): void {
    if (this.#calls.size >= this.#max) throw overloaded('streams')
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
