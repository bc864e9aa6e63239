import type { Evidence, Rule, Violation } from './evidence.ts'
import { rules as all } from './rules.ts'

const shown = 10

/** Holds the evidence against every rule; no violation, and nothing was lost, doubled or mixed up. */
export function check(evidence: Evidence, rules: readonly Rule[] = all): readonly Violation[] {
  return rules.flatMap(({ name, sentence, contradictions }) => {
    const found = [...contradictions(evidence)]
    if (found.length === 0) return []
    const rest = found.length > shown ? [`and ${found.length - shown} more`] : []
    return [{ rule: name, sentence, evidence: [...found.slice(0, shown), ...rest] }]
  })
}
