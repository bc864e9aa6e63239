import { Code, type ConnectError } from '@connectrpc/connect'
import type { Log } from '../log.ts'
import { markPeer } from '../peer-error.ts'

/** Doors end connections from time to time, and streams with them: who has one again within this was not away. */
const graceMs = 3_000

/** Whether a peer can be reached, so that its absence is logged once and not with every call. */
export class PeerState {
  readonly #target: string
  readonly #log: Log | undefined
  readonly #now: () => number
  #failingSince: number | undefined
  #told = false

  constructor(target: string, log: Log | undefined, now = () => performance.now()) {
    this.#target = target
    this.#log = log
    this.#now = now
  }

  /** A call came back with an answer. */
  reached(): void {
    this.#failingSince = undefined
    if (!this.#told) return
    this.#told = false
    this.#log?.info({ peer: this.#target }, 'peer is back')
  }

  /** A call failed, repetitions included; answers the error, marked as this peer's. */
  failed(error: ConnectError): ConnectError {
    return this.#failed(error, 0)
  }

  /** A stream ended with an error, which whoever follows it opens again. */
  broken(error: ConnectError): ConnectError {
    return this.#failed(error, graceMs)
  }

  #failed(error: ConnectError, patienceMs: number): ConnectError {
    if (error.code === Code.Unavailable) {
      this.#failingSince ??= this.#now()
      if (!this.#told && this.#now() - this.#failingSince >= patienceMs) {
        this.#told = true
        this.#log?.warn({ peer: this.#target, cause: error.rawMessage }, 'peer is away')
      }
    } else if (error.code !== Code.Canceled && error.code !== Code.DeadlineExceeded) this.reached()
    return markPeer(error, this.#target)
  }
}
