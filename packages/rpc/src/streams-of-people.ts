import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { Person } from '@gatehouse/identity'
import { commonRefusal } from './refusal.ts'

const RETRY_SECONDS = 10

/** How many streams each person holds open at this replica: one of them must not take the place of all. */
export class StreamsOfPeople {
  readonly #max: number
  readonly #open = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /**
   * Counts a stream in until what it answers is disposed; a workload for itself is counted by nobody.
   * @throws Refusal LIMIT_EXCEEDED
   */
  enter(person: Person | undefined): Disposable {
    if (person === undefined) return { [Symbol.dispose]() {} }
    const name = `${person.tenant} ${person.id}`
    const open = this.#open.get(name) ?? 0
    if (open >= this.#max) throw commonRefusal(ErrorReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: RETRY_SECONDS })
    this.#open.set(name, open + 1)
    return { [Symbol.dispose]: () => this.#leave(name) }
  }

  #leave(name: string): void {
    const left = (this.#open.get(name) ?? 1) - 1
    if (left === 0) this.#open.delete(name)
    else this.#open.set(name, left)
  }
}
