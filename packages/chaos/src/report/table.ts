import type { Scenario } from '../scenario.ts'
import type { Row } from './results.ts'

export const markers = { begin: '<!-- chaos -->', end: '<!-- /chaos -->' }

/** The last figures of each scenario as a Markdown table; a scenario that never ran says so. */
export function tableOf(rows: readonly Row[], scenarios: readonly Pick<Scenario, 'name' | 'faults' | 'promise'>[]): string {
  const lines = scenarios.map(({ name, faults, promise }) => {
    const row = rows.find(({ scenario }) => scenario === name)
    const figures = row
      ? [
          `${row.operations} × ${row.faults}`,
          row.violations === 0 ? '0' : `**${row.violations}** (${row.rules.join(', ')})`,
          row.seeds === 1 ? String(row.seed) : `${row.seed}–${row.seed + row.seeds - 1}`,
          `${row.seconds} s, ${row.date}${row.effort === 'full' ? '' : `, ${row.effort}`}`,
        ]
      : ['not measured yet', '–', '–', '–']
    return `| \`${name}\` | ${faults} | ${promise} | ${figures.join(' | ')} |`
  })
  return [
    '| scenario | what is done | what has to hold | operations × faults | violations | seed | took |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** The page with the table in its place. Throws where there is no place for it. */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(markers.begin)
  const end = page.indexOf(markers.end)
  if (begin === -1 || end < begin) throw new TypeError(`the page has no ${markers.begin} … ${markers.end}`)
  return `${page.slice(0, begin + markers.begin.length)}\n${table}\n${page.slice(end)}`
}
