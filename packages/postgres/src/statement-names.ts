import { createHash } from 'node:crypto'

const maxNames = 200
const maxTextLength = 20_000

/** What goes to the server in place of a text. */
export type Named = { readonly name: string; readonly text: string }

/**
 * Decides which statements a server keeps prepared. Only texts that come back are named: one that was built for a single
 * call (a list spelled out, a filter put together) would fill the server's memory and never be used again.
 * Names are hashes of the text, so every process behind one pooler uses the same ones.
 */
export class StatementNames {
  readonly #names = new Map<string, Named>()
  readonly #seenOnce = new Set<string>()
  readonly #renewals = new Map<string, number>()

  /** The name for a text with parameters, or undefined when it goes out unnamed. At most 200 names exist. */
  of(text: string): Named | undefined {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    if (this.#names.size >= maxNames || text.length > maxTextLength) return undefined
    if (!this.#seenOnce.has(text)) {
      if (this.#seenOnce.size >= 10 * maxNames) this.#seenOnce.clear()
      this.#seenOnce.add(text)
      return undefined
    }
    this.#seenOnce.delete(text)
    return this.#name(text)
  }

  /**
   * The plan of a text is stale. A connection of its own forgets it with the connection; a pooler keeps connections to the server, and what they have
   * prepared, by the text. So the text is another one from now on.
   */
  renew(text: string): void {
    this.#renewals.set(text, (this.#renewals.get(text) ?? 0) + 1)
    if (this.#names.has(text)) this.#name(text)
  }

  #name(text: string): Named {
    const renewals = this.#renewals.get(text)
    const sent = renewals === undefined ? text : `${text} -- ${renewals}`
    const named = { name: `g_${createHash('sha256').update(sent).digest('base64url').slice(0, 22)}`, text: sent }
    this.#names.set(text, named)
    return named
  }
}
