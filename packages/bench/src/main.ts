import { parseArgs } from 'node:util'
import { efforts } from './benchmark.ts'
import { benchmarks } from './benchmarks/index.ts'
import { closingLine } from './report/closing-line.ts'
import { comparisonLines, unlikeConditions } from './report/comparison.ts'
import { tableLines } from './report/print-table.ts'
import { writePage } from './report/write-page.ts'
import { committedRows, type Entry, type Row, writeResults } from './results.ts'
import { runEach } from './run-each.ts'

const usage = `pnpm bench [NAME …] [--quick] [--people N] [--compare]

  NAME       only these: ${benchmarks.map(({ name }) => name).join(', ')}
  --quick    short rounds: everything within three minutes; kept only where no full run is
  --people   the largest crowd of growth: ten million when it is asked for by name, one million otherwise
  --compare  then print what changed against the last committed results`

async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, people: { type: 'string' }, compare: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) return console.log(usage)
  const unknown = positionals.find((name) => !benchmarks.some((benchmark) => benchmark.name === name))
  if (unknown !== undefined) throw new TypeError(`There is no benchmark ${unknown}.\n${usage}`)
  const chosen = benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const earlier = committedRows()
  const began = performance.now()
  const people = Number(values.people ?? (positionals.includes('growth') ? 10_000_000 : 1_000_000))
  if (!Number.isSafeInteger(people) || people < 20_000) throw new TypeError('--people takes a number, 20000 at least')
  const effort = values.quick ? efforts.quick : efforts.full
  const kept: Entry[] = []
  const fresh: Row[] = []
  // Each when it is there: whoever stops a long run keeps what was measured by then.
  await runEach(chosen, { effort, people }, async (name, rows) => {
    const run: readonly Entry[] = rows ?? [{ name, failed: true }]
    const entries = await writeResults(
      run,
      benchmarks.map((benchmark) => benchmark.name),
    )
    await writePage(entries, benchmarks)
    kept.push(...run.filter((entry) => entries.includes(entry)))
    fresh.push(...(rows ?? []))
  })
  const failed = chosen.filter(({ name }) => !fresh.some((row) => row.name === name)).map(({ name }) => name)
  if (failed.length > 0) process.exitCode = 1
  console.log(['', ...tableLines(fresh)].join('\n'))
  if (values.compare) {
    const unlike = unlikeConditions(fresh, earlier)
    const lines = [...comparisonLines(fresh, earlier), ...(unlike === undefined ? [] : [unlike])]
    console.log(['', 'against the last committed results:', ...lines].join('\n  '))
  }
  console.log(`\n${closingLine(fresh, failed, kept, (performance.now() - began) / 1000)}`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof TypeError ? error.message : error)
}
