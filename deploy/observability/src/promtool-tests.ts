import { stringify } from 'yaml'
import { type AlertCase, alertCases } from './alert-cases.ts'
import { alertRules } from './alert-rules.ts'
import { fastCases, slowCases } from './slo-cases.ts'
import { sloGroups } from './slo-rules.ts'

/** By the name of the alert; every one has its own. */
export const cases: Readonly<Record<string, AlertCase>> = { ...alertCases, ...fastCases, ...slowCases }

/** A rule file and a test file for promtool, by their ends: `rules.yaml`, `test.yaml`. */
export interface PromtoolTest {
  readonly name: string
  readonly rules: string
  readonly test: string
}

/** An alert with the rules that it stands on and no others, which takes promtool a hundredth of the time: it fires on the one and is silent on the other. */
export function promtoolTest(alert: string, { fires, quiet, at = '20m', step = '1m' }: AlertCase): PromtoolTest {
  const group = sloGroups.find(({ rules }) => rules.some((rule) => rule.alert === alert))
  const rules = group?.rules ?? alertRules().filter((rule) => rule.alert === alert)
  const tests = [fires, quiet].map((series, isQuiet) => ({
    name: `${alert} ${isQuiet ? 'is silent' : 'fires'}`,
    interval: step,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
        eval_time: at,
        exp_samples: isQuiet ? [] : [{ labels: '{}', value: 1 }],
      },
    ],
  }))
  const written = { lineWidth: 0, aliasDuplicateObjects: false }
  return {
    name: alert,
    rules: stringify({ groups: [{ name: alert, rules }] }, written),
    test: stringify({ rule_files: [`${alert}.rules.yaml`], evaluation_interval: step, tests }, written),
  }
}
