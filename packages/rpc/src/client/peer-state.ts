import { Code, type ConnectError } from '@connectrpc/connect'
import type { Log } from '../log.ts'
import { markPeer } from '../peer-error.ts'

/** Whether a peer can be reached, so that its absence is logged once and not with every call. */
export class PeerState {
  readonly #target: string
  readonly #log: Log | undefined
  #away = false

  constructor(target: string, log: Log | undefined) {
    this.#target = target
    this.#log = log
  }

  /** A call came back with an answer. */
  reached(): void {
    if (!this.#away) return
    this.#away = false
    this.#log?.info({ peer: this.#target }, 'peer is back')
  }

  /** A call failed; answers the error, marked as this peer's. */
  failed(error: ConnectError): ConnectError {
    if (error.code === Code.Unavailable) {
      if (!this.#away) this.#log?.warn({ peer: this.#target, cause: error.rawMessage }, 'peer is away')
      this.#away = true
    } else if (error.code !== Code.Canceled && error.code !== Code.DeadlineExceeded) this.reached()
    return markPeer(error, this.#target)
  }
}
