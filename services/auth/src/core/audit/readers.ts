import { overloaded, showShed } from '@gatehouse/rpc'

/** Watches and exports that are open at this replica: each reads the chain for itself. */
export class Readers {
  readonly #max: number
  #count = 0

  constructor(max = 16) {
    this.#max = max
    showShed('watches')
  }

  /** Counts a reader in until what it answers is disposed. Throws OVERLOADED where there is no room. */
  enter(): Disposable {
    if (this.#count >= this.#max) throw overloaded('watches')
    this.#count++
    return { [Symbol.dispose]: () => void this.#count-- }
  }
}
