import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Bench, type Benchmark, efforts } from './benchmark.ts'
import { benchmarks } from './benchmarks/index.ts'
import { start } from './benchmarks/start.ts'
import { machine } from './conditions.ts'
import { type House, openHouse } from './house.ts'
import { rowOf } from './results.ts'

let house: Promise<House> | undefined
after(async () => (await house)?.[Symbol.asyncDispose]())

const bench: Bench = {
  effort: efforts.smoke,
  house: () => {
    house ??= openHouse()
    return house
  },
  say: () => undefined,
}

// No thresholds: a machine under test tells nothing about speed. A wrong answer rejects.
async function smoke(benchmark: Benchmark): Promise<void> {
  const rows = (await benchmark.run(bench)).map((finding) => rowOf(finding, machine(bench.effort)))
  assert.ok(rows.length > 0)
  for (const row of rows) assert.ok(row.name === benchmark.name && Number.isFinite(row.figure), `${row.what}: ${row.figure} ${row.unit}`)
}

// It stops and starts services that the others call.
test('start runs and its answers are right', () => smoke(start))

describe('with their answers right', { concurrency: 2 }, () => {
  for (const benchmark of benchmarks) if (benchmark !== start) test(`${benchmark.name} runs`, () => smoke(benchmark))
})
