/** What a statement leans on that ends with its transaction in a pooler, or is not there in a database of many machines. */
const forbidden: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^\s*(un)?listen\b/i, 'LISTEN lives in a session'],
  [/^\s*notify\b|\bpg_notify\s*\(/i, 'NOTIFY takes a global lock at commit'],
  [/\bpg_(try_)?advisory_\w+\s*\(/i, 'advisory locks live in a session, or on one machine'],
  // `set local` and `set transaction` end with their transaction.
  [/^\s*(set|reset)\s+(?!(local|transaction|constraints)\b)/i, 'SET lives in a session'],
  [/\bset_config\s*\([^()]*,\s*false\s*\)/i, 'set_config(…, false) lives in a session'],
  [/^\s*create\s+(local\s+|global\s+)?temp(orary)?\b/i, 'a temporary table lives in a session'],
  [/^\s*(prepare|execute|deallocate|discard|load)\b/i, 'a statement that is prepared by SQL lives in a session'],
  [/^\s*declare\b[\s\S]*\bcursor\s+with\s+hold\b/i, 'a cursor WITH HOLD lives in a session'],
  [/\b(currval|lastval)\s*\(/i, 'what a sequence gave last lives in a session'],
]

/** What PgBouncer says to a server in the name of the client that it lends it to. */
const ofThePooler =
  /^\s*set\s+(application_name|client_encoding|datestyle|intervalstyle|timezone|standard_conforming_strings|default_transaction_read_only|in_hot_standby|search_path)\s*=\s*'[^']*'\s*;?/i

/** Why a statement is none of the portable ones; undefined for one that is. */
export function forbiddenIn(statement: string): string | undefined {
  let rest = statement.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|\s)--.*$/gm, ' ')
  while (ofThePooler.test(rest)) rest = rest.replace(ofThePooler, '')
  return forbidden.find(([pattern]) => pattern.test(rest))?.[1]
}

/** Settings of a server (`startPostgres({ settings })`) whose lines a StatementLog understands. */
export const statementLogSettings = { log_statement: 'all', log_line_prefix: '%u|', log_parameter_max_length: '0' } as const

/** Reads every statement that roles named `gatehouse…` have a server run, from the lines of its log. */
export class StatementLog {
  readonly #offences: string[] = []
  #statements = 0
  #open: { readonly role: string; text: string } | undefined

  /** Statements that were read. */
  get statements(): number {
    this.#close()
    return this.#statements
  }

  /** Why, role, statement; a hundred at most. */
  get offences(): readonly string[] {
    this.#close()
    return [...this.#offences]
  }

  readonly line = (line: string): void => {
    // A statement of several lines goes on behind a tab.
    if (line.startsWith('\t')) {
      if (this.#open) this.#open.text += `\n${line.slice(1)}`
      return
    }
    this.#close()
    const [, role, text] = /^(gatehouse\w*)\|LOG: {2}(?:statement|execute [^:]*): (.*)$/.exec(line) ?? []
    if (role !== undefined && text !== undefined) this.#open = { role, text }
  }

  #close(): void {
    if (!this.#open) return
    const { role, text } = this.#open
    this.#open = undefined
    this.#statements++
    const why = forbiddenIn(text)
    if (why !== undefined && this.#offences.length < 100) this.#offences.push(`${why}: ${role}: ${text.replace(/\s+/g, ' ').slice(0, 300)}`)
  }
}
