import { createHash } from 'node:crypto'

const maxNames = 200
const maxTextLength = 20_000

/**
 * Decides which statements a server keeps prepared. Only texts that come back are named: one that was built for a single
 * call (a list spelled out, a filter put together) would fill the server's memory and never be used again.
 * Names are hashes of the text, so every process behind one pooler uses the same ones.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #seenOnce = new Set<string>()

  /** The name for a text with parameters, or undefined when it goes out unnamed. At most 200 names exist. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    if (this.#names.size >= maxNames || text.length > maxTextLength) return undefined
    if (!this.#seenOnce.has(text)) {
      if (this.#seenOnce.size >= 10 * maxNames) this.#seenOnce.clear()
      this.#seenOnce.add(text)
      return undefined
    }
    this.#seenOnce.delete(text)
    const name = `g_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
    this.#names.set(text, name)
    return name
  }
}
