import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Row, root } from '../results.ts'
import { chartOf } from './chart.ts'
import { mark, shown } from './numbers.ts'

/** Writes `docs/performance.md` and its charts from the rows; `about` says what each benchmark is. */
export async function writePage(
  rows: readonly Row[],
  benchmarks: readonly { readonly name: string; readonly about: string }[],
): Promise<void> {
  const charts = join(root, 'docs', 'performance')
  await mkdir(charts, { recursive: true })
  const wanted = new Set<string>()
  const sections: string[] = []
  for (const { name, about } of benchmarks) {
    const own = rows.filter((row) => row.name === name)
    if (own.length === 0) continue
    const images: string[] = []
    for (const [unit, ofUnit] of Map.groupBy(own, (row) => row.unit)) {
      const file = `${name}-${unit.replace(/\W+/g, '-')}.svg`
      wanted.add(file)
      await writeFile(join(charts, file), chartOf(`${name}, ${unit}`, ofUnit))
      images.push(`![${name}, ${unit}](performance/${file})`)
    }
    sections.push([`## ${name}`, `${about[0]?.toUpperCase()}${about.slice(1)}.`, tableOf(own), ...images, conditionsOf(own)].join('\n\n'))
  }
  for (const file of await readdir(charts)) if (!wanted.has(file)) await rm(join(charts, file))
  await writeFile(join(root, 'docs', 'performance.md'), `${head(rows)}\n${sections.join('\n\n')}\n`)
}

function head(rows: readonly Row[]): string {
  const judged = rows.filter(({ holds }) => holds !== null)
  const missed = judged.filter(({ holds }) => holds === false)
  return `# Performance

Written by \`pnpm bench\`; nothing here is typed by hand. Each figure stands beside a peer or a bare floor of the same run on the same machine, because shared
machines drift: read the ratios. Figures are medians of alternating rounds, with the lowest and highest round in brackets. Every answer is checked, and a wrong one fails
the run. Servers and clients are processes of their own, each kept on a core where the machine has two.

${judged.length - missed.length} of ${judged.length} goals hold${missed.length === 0 ? '.' : `; missed: ${missed.map((row) => `\`${row.name}\` (${row.what}${row.against === null ? '' : ` against ${row.against}`})`).join(', ')}.`}
`
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const figure = `${shown(row.figure)} ${row.unit} (${shown(row.figure_low)}–${shown(row.figure_high)})`
    const against = row.against === null ? '' : `${row.against}: ${shown(row.against_figure ?? Number.NaN)}`
    const ratio =
      row.ratio === null ? '' : `**${shown(row.ratio)}** (${shown(row.ratio_low ?? Number.NaN)}–${shown(row.ratio_high ?? Number.NaN)})`
    return `| ${[row.what, figure, against, ratio, row.goal ?? '', mark(row.holds)].join(' | ')} |`
  })
  return ['| what | figure | against | ratio | goal | |', '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n')
}

function conditionsOf(rows: readonly Row[]): string {
  const values = new Map<string, Set<string>>()
  for (const { conditions } of rows) {
    for (const [name, value] of Object.entries(conditions)) values.set(name, (values.get(name) ?? new Set()).add(String(value)))
  }
  return `Conditions: ${[...values].map(([name, all]) => `${name.replaceAll('_', ' ')} ${[...all].join(' / ')}`).join(' · ')}`
}
