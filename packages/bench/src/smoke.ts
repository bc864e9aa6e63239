import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Bench, type Benchmark, efforts } from './benchmark.ts'
import { machine } from './conditions.ts'
import { type House, openHouse } from './house.ts'
import { rowOf } from './results.ts'

/** These begin processes of their own, or time what cannot be hurried: they are smoked beside the others. */
export const ownProcesses: ReadonlySet<string> = new Set(['revocation', 'timing', 'start', 'oidc'])

/** Tests that benchmarks run and that all answers are right. No thresholds: a machine under test tells nothing about speed. A wrong answer rejects. */
export function smoke(benchmarks: readonly Benchmark[]): void {
  let house: Promise<House> | undefined
  after(async () => (await house)?.[Symbol.asyncDispose]())
  const bench: Bench = {
    effort: efforts.smoke,
    people: 0,
    house: () => {
      house ??= openHouse(false)
      return house
    },
    say: () => undefined,
  }
  for (const benchmark of benchmarks) {
    test(`${benchmark.name} runs and its answers are right`, async () => {
      const rows = (await benchmark.run(bench)).map((finding) => rowOf(finding, machine(bench.effort)))
      assert.ok(rows.length > 0)
      for (const row of rows)
        assert.ok(row.name === benchmark.name && Number.isFinite(row.figure), `${row.what}: ${row.figure} ${row.unit}`)
    })
  }
}
