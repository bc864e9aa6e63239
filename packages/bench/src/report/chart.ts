import type { Row } from '../results.ts'
import { shown } from './numbers.ts'

const width = 760
const labelWidth = 310
const barHeight = 18
const lineHeight = 26
const groupGap = 14
const topHeight = 36
// Beyond the longest bar there has to be room for its number.
const numberWidth = 120
const longestLabel = 46

interface Bar {
  readonly label: string
  readonly value: number
  readonly low: number
  readonly high: number
  readonly ours: boolean
}

interface Group {
  /** Undefined where it is the name of the only bar. */
  readonly what: string | undefined
  readonly bars: readonly Bar[]
  /** Where the goal for our figure lies, if there is one. */
  readonly goal: number | undefined
}

/**
 * Rows of one unit as horizontal bars (SVG): ours, with the span of its rounds, above what it is held against; a dashed line where a goal for the figure is.
 * Plain enough for a light and a dark page.
 */
export function chartOf(title: string, rows: readonly Row[]): string {
  const groups = groupsOf(rows)
  const values = groups.flatMap(({ bars, goal }) => [...bars.flatMap(({ value, high }) => [value, high]), goal ?? 0])
  const scale = (width - labelWidth - numberWidth) / Math.max(...values.filter(Number.isFinite), Number.MIN_VALUE)
  const unit = rows[0]?.unit ?? ''
  const drawn: string[] = []
  let y = topHeight
  for (const group of groups) {
    if (group.what !== undefined) {
      drawn.push(`<text x="0" y="${y + 12}" class="what">${safe(group.what)}</text>`)
      y += lineHeight - 6
    }
    const top = y
    for (const bar of group.bars) {
      drawn.push(barOf(bar, y, scale, unit, group.goal ?? 0))
      y += lineHeight
    }
    if (group.goal !== undefined) drawn.push(goalOf(labelWidth + group.goal * scale, top - 4, y - 4))
    if (group.what !== undefined) y += groupGap
  }
  y += groupGap / 2
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-label="${safe(title)}">
<style>text{font:13px system-ui,sans-serif;fill:#24292f}.what{font-weight:600}.title{font-size:15px;font-weight:700}.span,.goal{stroke:#24292f}@media(prefers-color-scheme:dark){text{fill:#d7dde3}.span,.goal{stroke:#d7dde3}}</style>
<text x="0" y="18" class="title">${safe(title)}</text>
${drawn.join('\n')}
</svg>
`
}

function barOf({ label, value, low, high, ours }: Bar, y: number, scale: number, unit: string, goal: number): string {
  const at = (of: number) => (labelWidth + of * scale).toFixed(1)
  const length = Math.max(1, value * scale).toFixed(1)
  const middle = y + barHeight / 2
  const end = Math.max(value, high) * scale
  // The line of a goal must not run through the number.
  const numberAt = goal * scale > end && goal * scale < end + numberWidth ? goal * scale : end
  return [
    `<text x="${labelWidth - 10}" y="${y + 13}" text-anchor="end">${safe(shortened(label))}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="3" fill="${ours ? '#2f8f74' : '#a7b0b8'}"/>`,
    ...(high > low
      ? [
          `<path d="M${at(low)} ${middle}H${at(high)}M${at(low)} ${y + 5}v8M${at(high)} ${y + 5}v8" class="span" fill="none" opacity="0.55"/>`,
        ]
      : []),
    `<text x="${(labelWidth + numberAt + 8).toFixed(1)}" y="${y + 13}">${safe(`${shown(value)} ${unit}`)}</text>`,
  ].join('\n')
}

function goalOf(x: number, from: number, to: number): string {
  return `<path d="M${x.toFixed(1)} ${from}V${to}" class="goal" stroke-dasharray="4 3" fill="none"/>`
}

function groupsOf(rows: readonly Row[]): Group[] {
  // Without peers a line of its own for each name would only be longer.
  const isAlone = rows.every(({ against, what }) => against === null && what.length <= longestLabel)
  return [...Map.groupBy(rows, ({ what }) => what)].map(([what, same]) => {
    const [first] = same
    const ours = same.slice(0, 1).map(({ figure, figure_low, figure_high }) => ({
      label: isAlone ? what : 'Gatehouse',
      value: figure,
      low: figure_low,
      high: figure_high,
      ours: true,
    }))
    const peers = same.flatMap(({ against, against_figure: value }) =>
      against === null || value === null ? [] : [{ label: against, value, low: value, high: value, ours: false }],
    )
    const goal = /^figure \S+ ([\d.]+)$/.exec(first?.goal ?? '')?.[1]
    return { what: isAlone ? undefined : what, bars: [...ours, ...peers], goal: goal === undefined ? undefined : Number(goal) }
  })
}

function shortened(label: string): string {
  return label.length <= longestLabel ? label : `${label.slice(0, longestLabel - 1)}…`
}

function safe(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
