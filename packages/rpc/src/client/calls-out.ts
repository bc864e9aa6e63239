import { toConnectError } from '../answer-error.ts'
import { overloaded } from '../overloaded.ts'
import { markPeer } from '../peer-error.ts'

/** Calls to a peer that are under way. Beyond so many a call fails at once with `OVERLOADED`: a peer that is slow must not fill our memory with its callers. */
export class CallsOut {
  readonly #target: string
  readonly #max: number
  #calls = 0

  constructor(target: string, max: number) {
    this.#target = target
    this.#max = max
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#calls >= this.#max) throw markPeer(toConnectError(overloaded('peer_calls')), this.#target)
    this.#calls += 1
    try {
      return await call()
    } finally {
      this.#calls -= 1
    }
  }
}
