import type { Violation } from './checker/evidence.ts'
import type { Operation } from './history.ts'

/**
 * Calls that failed although nobody died. What is shed because a queue is full is no failure of a restart; a change that says it was based on an older
 * version has been made by an attempt of the client's own that it repeated.
 */
export function failedCalls(operations: readonly Operation[]): readonly Violation[] {
  const evidence = operations.flatMap(({ op, id, attempts }) =>
    attempts.flatMap(({ outcome }) =>
      outcome?.kind === 'unknown' && outcome.code !== 'resource_exhausted' ? [`${op} ${id}: ${outcome.code} ${outcome.reason}`] : [],
    ),
  )
  if (evidence.length === 0) return []
  const sentence = 'no call fails while replicas come and go'
  const rest = evidence.length > 10 ? [`and ${evidence.length - 10} more`] : []
  return [{ rule: 'no-call-fails', sentence, evidence: [...evidence.slice(0, 10), ...rest] }]
}
