import { parseArgs } from 'node:util'
import { type Bench, type Benchmark, type Effort, efforts } from './benchmark.ts'
import { benchmarks } from './benchmarks/index.ts'
import { machine } from './conditions.ts'
import { type House, openHouse } from './house.ts'
import { closingLine } from './report/closing-line.ts'
import { comparisonLines, unlikeConditions } from './report/comparison.ts'
import { tableLines } from './report/print-table.ts'
import { writePage } from './report/write-page.ts'
import { committedRows, type Row, rowOf, writeResults } from './results.ts'

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
  const fresh = await runAll(chosen, values.quick ? efforts.quick : efforts.full, people)
  const failed = chosen.filter(({ name }) => !fresh.some((row) => row.name === name)).map(({ name }) => name)
  const entries = await writeResults(
    [...fresh, ...failed.map((name) => ({ name, failed: true }) as const)],
    benchmarks.map(({ name }) => name),
  )
  await writePage(entries, benchmarks)
  console.log(['', ...tableLines(fresh)].join('\n'))
  if (values.compare) {
    const unlike = unlikeConditions(fresh, earlier)
    const lines = [...comparisonLines(fresh, earlier), ...(unlike === undefined ? [] : [unlike])]
    console.log(['', 'against the last committed results:', ...lines].join('\n  '))
  }
  console.log(`\n${closingLine(fresh, failed, entries, (performance.now() - began) / 1000)}`)
}

async function runAll(chosen: readonly Benchmark[], effort: Effort, people: number): Promise<readonly Row[]> {
  await using opened = new AsyncDisposableStack()
  let house: Promise<House> | undefined
  const bench: Bench = {
    effort,
    people,
    house: () => {
      house ??= openHouse().then((it) => opened.use(it))
      return house
    },
    say: (line) => console.log(line),
  }
  const rows: Row[] = []
  for (const benchmark of chosen) {
    const conditions = machine(effort)
    const began = performance.now()
    console.log(`${benchmark.name}: ${benchmark.about}`)
    try {
      rows.push(...(await benchmark.run(bench)).map((finding) => rowOf(finding, conditions)))
    } catch (error) {
      // A wrong answer or a broken part: no figure is better than a false one, and the others have a right to their turn.
      process.exitCode = 1
      console.error(`  ${benchmark.name} failed:`, error)
    }
    console.log(`  took ${((performance.now() - began) / 1000).toFixed(0)} s`)
  }
  return rows
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof TypeError ? error.message : error)
}
