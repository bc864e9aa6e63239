import type { Evidence, Rule } from '../evidence.ts'

/** Where the contract has a request_id: what the answer names. */
const resultOf: Readonly<Record<string, string>> = { 'create-user': 'id', 'sign-up': 'challengeId', 'send-notification': 'id' }

/** However often a request was repeated: one result, told to everybody who asked, and kept with it. */
export const requestIds: Rule = {
  name: 'request-ids',
  sentence: 'a request that is repeated under its request_id has one result',
  *contradictions(evidence) {
    const kept = keptResults(evidence)
    for (const { op, id, attempts } of evidence.operations) {
      const field = resultOf[op]
      if (field === undefined) continue
      const told = new Set(attempts.flatMap(({ outcome }) => (outcome?.kind === 'done' ? [String(outcome.result[field])] : [])))
      if (told.size > 1) yield `${op} ${id} was answered with ${[...told].join(' and ')}`
      const refused = attempts.find(({ outcome }) => outcome?.kind === 'refused')
      if (refused?.outcome?.kind === 'refused') yield `${op} ${id} was refused: ${refused.outcome.code} ${refused.outcome.reason}`
      const results = kept.get(id) ?? []
      for (const [result] of told.entries())
        if (!results.includes(result)) yield `${op} ${id} was answered with ${result}, and what is kept is ${results.join() || 'nothing'}`
    }
    yield* twins(evidence)
  },
}

function keptResults({ user, auth, notification }: Evidence): ReadonlyMap<string, readonly (string | null)[]> {
  const rows = [...user.requests, ...auth.requests, ...notification.requests]
  return new Map([...Map.groupBy(rows, ({ request_id }) => request_id)].map(([id, of]) => [id, of.map(({ result_id }) => result_id)]))
}

function* twins({ user }: Evidence): Generator<string> {
  for (const [email, people] of Map.groupBy(user.users, (row) => row.email ?? row.id))
    if (people.length > 1) yield `${people.length} people have the address ${email}`
}
