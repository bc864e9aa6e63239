import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** A rule of deploy/observability/alerts.yaml. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[]
}

export function alertRules(): readonly AlertRule[] {
  const file = new URL('../../../deploy/observability/alerts.yaml', import.meta.url)
  return (parse(readFileSync(file, 'utf8'), { strict: true }) as RuleFile).groups.flatMap(({ rules }) => rules)
}

/** The metrics that an expression of PromQL reads, with the labels that it selects, groups or prints by. */
export function metricsIn(expr: string): string[] {
  return [...new Set(expr.replace(/"[^"]*"/g, '').match(/\b(?:gatehouse|db|rpc|nodejs)_\w+/g))].filter((name) => !expr.includes(`{${name}`))
}

/** Names of the series of an exposition in Prometheus' text format. */
export function seriesIn(exposition: string): string[] {
  return exposition
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^\w+/.exec(line)?.[0] ?? '')
}

/** Labels that an expression matches or groups by. */
export function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, matchers = '']) =>
    [...matchers.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
  )
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/))
  // Prometheus itself adds these.
  return [...new Set([...matched, ...grouped])].filter((label) => label !== 'job' && label !== 'instance')
}
