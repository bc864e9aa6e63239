import type { Bench, Benchmark } from './benchmark.ts'
import { machine } from './conditions.ts'
import { type House, openHouse } from './house.ts'
import { type Row, rowOf } from './results.ts'

/** Runs them one after the other, and hands on the rows of each before the next begins; none of one that failed. */
export async function runEach(
  chosen: readonly Benchmark[],
  { effort, people }: Pick<Bench, 'effort' | 'people'>,
  keep: (name: string, rows: readonly Row[] | undefined) => Promise<void>,
): Promise<void> {
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
  for (const benchmark of chosen) {
    const conditions = machine(effort)
    const began = performance.now()
    console.log(`${benchmark.name}: ${benchmark.about}`)
    const rows = await rowsOf(benchmark, bench, conditions)
    console.log(`  took ${((performance.now() - began) / 1000).toFixed(0)} s`)
    await keep(benchmark.name, rows)
  }
}

async function rowsOf(benchmark: Benchmark, bench: Bench, conditions: ReturnType<typeof machine>): Promise<readonly Row[] | undefined> {
  try {
    const rows = (await benchmark.run(bench)).map((finding) => rowOf(finding, conditions))
    return rows.length === 0 ? undefined : rows
  } catch (error) {
    // A wrong answer or a broken part: no figure is better than a false one, and the others have a right to their turn.
    console.error(`  ${benchmark.name} failed:`, error)
    return undefined
  }
}
