import type { Row } from '../results.ts'
import { shown } from './numbers.ts'

const width = 720
const labelWidth = 290
const barHeight = 20
const gap = 10

interface Bar {
  readonly label: string
  readonly value: number
  readonly ours: boolean
}

/** Rows of one unit as horizontal bars (SVG): ours beside what they are held against. Plain enough for a light and a dark page. */
export function chartOf(title: string, rows: readonly Row[]): string {
  const bars = barsOf(rows)
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const height = 34 + bars.length * (barHeight + gap)
  const drawn = bars.map(({ label, value, ours }, number) => {
    const y = 34 + number * (barHeight + gap)
    const length = Math.max(1, (value / most) * (width - labelWidth - 130))
    return [
      `<text x="${labelWidth - 10}" y="${y + 15}" text-anchor="end">${safe(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="3" fill="${ours ? '#2f6f5e' : '#a7b0b8'}"/>`,
      `<text x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 15}">${safe(`${shown(value)} ${rows[0]?.unit ?? ''}`)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${safe(title)}">
<style>text{font:13px system-ui,sans-serif;fill:#24292f}@media(prefers-color-scheme:dark){text{fill:#d7dde3}}</style>
<text x="0" y="18" style="font-weight:600">${safe(title)}</text>
${drawn.join('\n')}
</svg>
`
}

function barsOf(rows: readonly Row[]): Bar[] {
  const bars = new Map<string, Bar>()
  for (const row of rows) {
    bars.set(row.what, { label: `Gatehouse: ${row.what}`, value: row.figure, ours: true })
    if (row.against !== null && row.against_figure !== null)
      bars.set(`${row.what} ${row.against}`, { label: row.against, value: row.against_figure, ours: false })
  }
  return [...bars.values()]
}

function safe(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
