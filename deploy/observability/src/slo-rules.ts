import { type Objective, objectives } from './objectives.ts'

/** Windows of which a ratio is recorded. */
const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const

interface Burn {
  /** How many times as fast as the budget of thirty days allows. */
  readonly times: number
  readonly long: (typeof windows)[number]
  /** It has to burn over this one too, so that an alert ends soon after its cause. */
  readonly short: (typeof windows)[number]
}

/** The windows of Google's SRE workbook, chapter 5: 2 % of the budget in an hour or 5 % in six wake somebody, 10 % in a day or in three waits for the morning. */
const fast: readonly Burn[] = [
  { times: 14.4, long: '1h', short: '5m' },
  { times: 6, long: '6h', short: '30m' },
]
const slow: readonly Burn[] = [
  { times: 3, long: '1d', short: '2h' },
  { times: 1, long: '3d', short: '6h' },
]

export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: { readonly summary: string; readonly runbook: string }
}

const ratio = (window: string): string => `gatehouse:slo_bad:ratio_rate${window}`
const seen = (window: string): string => `gatehouse:slo_all:rate${window}`

/** Share of what was bad in each window, and how much came at all. Where nothing was bad there is no series of it, which has to read as 0. */
function recorded({ slo, target, bad, all }: Objective): Rule[] {
  const labels = { slo }
  const rules: Rule[] = windows.flatMap((window) => [
    { record: ratio(window), expr: `((${bad(window)}) or 0 * (${all(window)})) / (${all(window)} > 0)`, labels },
    { record: seen(window), expr: all(window), labels },
  ])
  return [...rules, { record: 'gatehouse:slo_allowed:ratio', expr: `0 * ${all('1h')} + ${Number((1 - target).toFixed(6))}`, labels }]
}

function alert({ slo, alert: name, target, fewest, says }: Objective, burns: readonly Burn[], severity: 'page' | 'ticket'): Rule {
  const title = `${name}${severity === 'page' ? 'BurnsFast' : 'Burns'}`
  const over = (window: string, times: number) => `${ratio(window)}{slo="${slo}"} > ${Number((times * (1 - target)).toFixed(6))}`
  const expr = burns
    .map(({ times, long, short }) => `(${over(long, times)} and ${over(short, times)} and ${seen(long)}{slo="${slo}"} > ${fewest})`)
    .join(' or ')
  return {
    alert: title,
    expr,
    for: severity === 'page' ? '2m' : '15m',
    labels: { severity, slo },
    annotations: {
      summary: `${says}: {{ $value | humanizePercentage }}, and ${Number(((1 - target) * 100).toFixed(3))} % are allowed`,
      runbook: `docs/operations.md#${title.toLowerCase()}`,
    },
  }
}

/** The groups of slo.yaml. */
export const sloGroups = objectives.map((objective) => ({
  name: `gatehouse-slo-${objective.slo}`,
  rules: [...recorded(objective), alert(objective, fast, 'page'), alert(objective, slow, 'ticket')],
}))
