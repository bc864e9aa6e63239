import type { FaultProxy } from '@gatehouse/testkit'

/** Counts the statements that arrive at Postgres over links, by their text: what it was asked, whatever it made of it. */
export class StatementCount {
  readonly #byText = new Map<string, number>()

  /** Connections that are open have said their statements' texts already: the link is to be cut afterwards. */
  watch(link: FaultProxy): void {
    const readers = new Map<number, FrontendReader>()
    link.watch(({ connection, direction, bytes }) => {
      if (direction === 'down') return
      const reader = readers.get(connection) ?? new FrontendReader((text) => this.#byText.set(text, (this.#byText.get(text) ?? 0) + 1))
      readers.set(connection, reader)
      reader.read(bytes)
    })
  }

  /** How many of those that match. */
  of(pattern: RegExp): number {
    return [...this.#byText].reduce((sum, [text, count]) => sum + (pattern.test(text) ? count : 0), 0)
  }
}

/** Reads what a client says to Postgres (PostgreSQL documentation, "Message Formats"). */
class FrontendReader {
  readonly #onStatement: (text: string) => void
  readonly #texts = new Map<string, string>()
  #bytes: Buffer = Buffer.alloc(0)
  // The first message has no type, for there was none in 1996.
  #started = false

  constructor(onStatement: (text: string) => void) {
    this.#onStatement = onStatement
  }

  read(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
    for (;;) {
      const typed = this.#started ? 1 : 0
      if (this.#bytes.length < typed + 4) return
      const end = typed + this.#bytes.readUInt32BE(typed)
      if (this.#bytes.length < end) return
      if (this.#started) this.#message(String.fromCharCode(this.#bytes[0] ?? 0), this.#bytes.subarray(5, end))
      this.#started = true
      this.#bytes = this.#bytes.subarray(end)
    }
  }

  #message(type: string, body: Buffer): void {
    const [first = '', second = ''] = type === 'Q' || type === 'P' || type === 'B' ? body.toString('latin1').split('\0', 2) : []
    if (type === 'P') this.#texts.set(first, second)
    if (type === 'Q') this.#onStatement(first)
    if (type === 'B') this.#onStatement(this.#texts.get(second) ?? '')
  }
}
