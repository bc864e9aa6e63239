import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { dashboards } from './dashboards.ts'

/** A rule of alerts.yaml or slo.yaml. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly (AlertRule | RecordingRule)[] }[]
}

export const ruleFiles = ['alerts.yaml', 'slo.yaml'].map((name) => new URL(`../${name}`, import.meta.url))

const rules = ruleFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8'), { strict: true }) as RuleFile).groups.flatMap((group) => group.rules),
)

export const alertRules = (): readonly AlertRule[] => rules.filter((rule) => 'alert' in rule)
export const recordingRules = (): readonly RecordingRule[] => rules.filter((rule) => 'record' in rule)

/** Every expression that rules and dashboards ask, with where it stands. */
export function expressions(): readonly { readonly where: string; readonly expr: string }[] {
  return [
    ...alertRules().map(({ alert, expr }) => ({ where: alert, expr })),
    ...recordingRules().map(({ record, expr }) => ({ where: record, expr })),
    ...Object.values(dashboards).flatMap(({ title, rows }) =>
      rows.flatMap(({ panels }) =>
        panels.flatMap((panel) => panel.queries.map(({ expr }) => ({ where: `${title}: ${panel.title}`, expr }))),
      ),
    ),
  ]
}
