import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal, overloaded, showShed } from '@gatehouse/rpc'

/** How many streams are open at this replica, and how many of each caller. */
export class Places {
  readonly #max: number
  readonly #maxOfCaller: number
  readonly #open = new Map<string, number>()
  #count = 0

  constructor(max: number, maxOfCaller: number) {
    this.#max = max
    this.#maxOfCaller = maxOfCaller
    showShed('watches')
  }

  get taken(): number {
    return this.#count
  }

  /** Takes a place. Throws OVERLOADED where there is none, LIMIT_EXCEEDED where the caller has too many. */
  take(caller: string): void {
    const open = this.#open.get(caller) ?? 0
    if (open >= this.#maxOfCaller) throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: 10 })
    if (this.#count >= this.#max) throw overloaded('watches')
    this.#count++
    this.#open.set(caller, open + 1)
  }

  leave(caller: string): void {
    this.#count--
    const left = (this.#open.get(caller) ?? 1) - 1
    if (left === 0) this.#open.delete(caller)
    else this.#open.set(caller, left)
  }
}
