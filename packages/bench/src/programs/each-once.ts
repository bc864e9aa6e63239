/** Sees to it that each of so many jobs is done once. */
export class EachOnce {
  readonly #wanted: number
  readonly #done = new Set<string>()

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  get complete(): boolean {
    return this.#done.size >= this.#wanted
  }

  add(id: string): void {
    if (this.#done.has(id)) throw new Error(`job ${id} is done twice`)
    this.#done.add(id)
  }

  perSecond(ms: number): number {
    if (this.#done.size !== this.#wanted) throw new Error(`${this.#done.size} of ${this.#wanted} jobs are done`)
    return (this.#wanted * 1000) / ms
  }
}
