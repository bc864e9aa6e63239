import { acknowledged } from '../../history.ts'
import type { Evidence, Rule } from '../evidence.ts'

/** A session that goes on has one token that is good, and a chain of used-up ones that leads to it; who holds it is never taken for a thief. */
export const refreshChain: Rule = {
  name: 'refresh-chain',
  sentence: 'a session that goes on has exactly one good refresh token, and its holder can use it',
  *contradictions(evidence) {
    const { sessions, refresh_tokens } = evidence.auth
    const tokens = Map.groupBy(refresh_tokens, ({ session_id }) => session_id)
    const known = new Set(refresh_tokens.map(({ token }) => token))
    for (const { id, ended } of sessions) {
      const of = tokens.get(id) ?? []
      const good = of.filter(({ used }) => !used).length
      if (!ended && good !== 1) yield `session ${id} has ${good} good refresh tokens`
      for (const { token, used, successor } of of)
        if (used && (successor === null || !known.has(successor)))
          yield `token ${token.slice(0, 12)} of session ${id} is used up, and its successor is not there`
    }
    yield* refusedHolders(evidence)
  },
}

/** Nobody but the holder used these tokens, and asked again soon enough. */
function* refusedHolders({ operations, auth }: Evidence): Generator<string> {
  const ended = new Map(auth.sessions.map((session) => [session.id, session]))
  for (const operation of operations) {
    if (operation.op !== 'refresh') continue
    const { sessionId = '', token } = operation.args
    const result = acknowledged(operation)
    const answers = new Set(operation.attempts.flatMap(({ outcome }) => (outcome?.kind === 'done' ? [outcome.result.next] : [])))
    if (answers.size > 1) yield `token ${token} of session ${sessionId} was answered with ${answers.size} successors`
    const refused = operation.attempts.find(({ outcome }) => outcome?.kind === 'refused')?.outcome
    const cause = ended.get(String(sessionId))?.end_cause
    if (refused?.kind === 'refused' && (cause === null || cause === 'token_reused'))
      yield `the holder of token ${token} of session ${sessionId} was refused: ${refused.reason} (${cause ?? 'the session goes on'}${result ? ', after an answer' : ''})`
  }
}
