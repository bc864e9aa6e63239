import { type Entry, isRow, type Row } from '../results.ts'
import { chartOf } from './chart.ts'
import { mark, shown, shownRatio } from './numbers.ts'

/** The page about performance, and the charts that it shows by their file names. */
export interface Page {
  readonly markdown: string
  readonly charts: ReadonlyMap<string, string>
}

/** Puts the page together; `benchmarks` gives the order and says what each is. */
export function pageOf(entries: readonly Entry[], benchmarks: readonly { readonly name: string; readonly about: string }[]): Page {
  const rows = entries.filter(isRow)
  const charts = new Map<string, string>()
  const shared = sharedConditions(rows)
  const sections = benchmarks.flatMap(({ name, about }) => {
    const own = rows.filter((row) => row.name === name)
    if (own.length === 0) return []
    const images = [...Map.groupBy(own, (row) => row.unit)].map(([unit, ofUnit]) => {
      const file = `${name}-${unit.replace(/\W+/g, '-')}.svg`
      charts.set(file, chartOf(`${name}, ${unit}`, ofUnit))
      return `![${name}, ${unit}](performance/${file})`
    })
    return [
      [`## ${name}`, `${about[0]?.toUpperCase()}${about.slice(1)}.`, ...images, figures(own), conditionsLine(own, shared)].join('\n\n'),
    ]
  })
  return { markdown: `${head(rows, shared)}${failures(entries)}\n\n${goals(rows, benchmarks)}\n\n${sections.join('\n\n')}\n`, charts }
}

function head(rows: readonly Row[], shared: ReadonlyMap<string, string>): string {
  return `# Performance

Written by \`pnpm bench\`; nothing here is typed by hand. Each figure stands beside a peer or a bare floor of the same run on the same machine, because shared
machines drift: read the ratios. They are medians of alternating rounds, with the lowest and the highest round in brackets; the wider the brackets, the less the
machine was ours. Every answer is checked, and a wrong one fails the run. Servers and clients are processes of their own, each kept on a core where the machine has
two. [How rivals are measured](decisions/0017-rivals-on-equal-terms.md), and what is not equal.${rows.some(({ conditions }) => conditions.h2load === false) ? '\n\n`h2load` was not installed where some of this ran, so that rows by it are missing there.' : ''}

Machine and run: ${[...shared].map(([name, value]) => `${named(name)} ${value}`).join(' · ')}.`
}

/** A benchmark that failed has no older figures here either: they would look as if they held still. */
function failures(entries: readonly Entry[]): string {
  const names = entries.filter((entry) => !isRow(entry)).map(({ name }) => name)
  return names.length === 0 ? '' : `\n\n**Failed in the last run, no figure: ${names.join(', ')}.**`
}

function goals(rows: readonly Row[], benchmarks: readonly { readonly name: string }[]): string {
  const judged = benchmarks.flatMap(({ name }) => rows.filter((row) => row.name === name && row.holds !== null))
  const held = judged.filter(({ holds }) => holds === true).length
  const lines = judged.map((row) => {
    const measured = row.goal?.startsWith('ratio') ? `**${shown(row.ratio ?? Number.NaN)}**` : `**${shown(row.figure)}** ${row.unit}`
    const what = row.against === null ? row.what : `${row.what}, against ${row.against}`
    return `| ${[row.holds ? '✓' : '✗', `[${row.name}](#${row.name})`, what, measured, row.goal?.replace(/^(figure|ratio) /, '')].join(' | ')} |`
  })
  return [
    `## Goals: ${held} of ${judged.length} hold`,
    ['| | | what | measured | goal |', '| --- | --- | --- | --- | --- |', ...lines].join('\n'),
  ].join('\n\n')
}

function figures(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const span = row.figure_low === row.figure_high ? '' : ` (${shown(row.figure_low)}–${shown(row.figure_high)})`
    const figure = `${shown(row.figure)} ${row.unit}${span}`
    const against = row.against === null ? '' : `${row.against}: ${shown(row.against_figure ?? Number.NaN)}`
    return `| ${[row.what, figure, against, shownRatio(row), row.goal ?? '', mark(row.holds)].join(' | ')} |`
  })
  return ['| what | figure | against | ratio | goal | |', '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n')
}

/** Conditions that all rows have, with one value: said once. */
function sharedConditions(rows: readonly Row[]): ReadonlyMap<string, string> {
  const values = valuesOf(rows)
  return new Map(
    [...values].flatMap(([name, all]) => {
      const [only] = all
      const everywhere = rows.every(({ conditions }) => name in conditions)
      return all.size === 1 && only !== undefined && everywhere ? [[name, only] as const] : []
    }),
  )
}

function conditionsLine(rows: readonly Row[], shared: ReadonlyMap<string, string>): string {
  const own = [...valuesOf(rows)].filter(([name]) => !shared.has(name))
  return `Conditions: ${own.map(([name, all]) => `${named(name)} ${[...all].join(' / ')}`).join(' · ')}`
}

function valuesOf(rows: readonly Row[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>()
  for (const { conditions } of rows) {
    for (const [name, value] of Object.entries(conditions)) values.set(name, (values.get(name) ?? new Set()).add(String(value)))
  }
  return values
}

function named(condition: string): string {
  return condition.replaceAll('_', ' ')
}
