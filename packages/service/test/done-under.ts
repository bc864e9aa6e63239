/** What a user of NATS published to and was refused, as the nodes traced it. */
export interface Done {
  readonly published: ReadonlySet<string>
  readonly refused: readonly string[]
}

/** Reads the nodes' traces: who connected as whom, and what each then said. */
export function doneUnder(lines: readonly string[]): ReadonlyMap<string, Done> {
  const userOf = new Map<string, string>()
  const done = new Map<string, { published: Set<string>; refused: string[] }>()
  for (const line of lines) {
    const client = /^(\d) .*?(cid:\d+)/.exec(line)?.slice(1).join(' ')
    if (client === undefined) continue
    const user = /\[CONNECT .*"user":"([^"]+)"/.exec(line)?.[1]
    if (user !== undefined) userOf.set(client, user)
    const known = userOf.get(client)
    if (known === undefined) continue
    const its = done.get(known) ?? { published: new Set(), refused: [] }
    done.set(known, its)
    const subject = /<<- \[H?PUB (\S+)/.exec(line)?.[1]
    if (subject !== undefined) its.published.add(subject)
    const violation = /(Publish|Subscription) Violation - .*?Subject "([^"]+)"/.exec(line)
    if (violation !== null) its.refused.push(violation.slice(1).join(' '))
  }
  return done
}

/** Whether a subject is covered by one that may end in `>` and have `*` between. */
export function covers(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const given = subject.split('.')
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return given.length > i
    if (given[i] === undefined || (token !== '*' && token !== given[i])) return false
  }
  return wanted.length === given.length
}
