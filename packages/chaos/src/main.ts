import { join } from 'node:path'
import { type Options, readOptions, usage } from './options.ts'
import { findNothing, findPlanted } from './prove-checker.ts'
import { runReleaseChecks } from './release-checks.ts'
import { writeReport } from './report/write-report.ts'
import { runToItsEnd, type ScenarioResult } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args, scenarios)
  if (options.help) return console.log(usage)
  if (options.releaseChecks) return fail(await runReleaseChecks(console.log))
  if (options.page) return writeReport([], scenarios)
  if (options.planted) return fail(await findPlanted(options))
  if (options.clean !== undefined) return fail(await findNothing(options, options.clean))
  const results = await runAll(options)
  // Few faults in a moment are not what the page promises.
  if (options.effort.name === 'full') await writeReport(results, scenarios)
  const violations = results.reduce((sum, result) => sum + result.violations.length, 0)
  const sum = (of: (result: ScenarioResult) => number) => results.reduce((total, result) => total + of(result), 0)
  console.log(`\n${sum(({ operations }) => operations)} operations × ${sum(({ faults }) => faults)} faults: ${violations} violations`)
  fail(violations === 0)
}

function fail(passed: boolean): void {
  if (!passed) process.exitCode = 1
}

/** Once, or until the minutes are over: each round with the next seed. */
async function runAll({ chosen, seed, minutes = 0, effort, keep }: Options): Promise<readonly ScenarioResult[]> {
  const end = performance.now() + minutes * 60_000
  const results: ScenarioResult[] = []
  const run = async (scenario: Scenario, roundSeed: number): Promise<void> => {
    console.log(`${scenario.name}, seed ${roundSeed}: ${scenario.faults}`)
    const result = await runToItsEnd(scenario, {
      seed: roundSeed,
      effort,
      say: (line) => console.log(`  ${line}`),
      ...(keep !== undefined && { folder: join(keep, `${scenario.name}-${roundSeed}`) }),
    })
    results.push(result)
    printResult(result)
  }
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    for (const scenario of chosen) {
      if (round > 0 && performance.now() >= end) break
      await run(scenario, seed + round)
    }
  }
  return results
}

function printResult({ operations, unknown, faults, seconds, violations }: ScenarioResult): void {
  console.log(
    `  ${operations} operations (of ${unknown} nobody was told what became), ${faults} faults, ${violations.length} violations, ${seconds} s`,
  )
  for (const { rule, sentence, evidence } of violations)
    console.log([`  ✗ ${rule}: not so: ${sentence}`, ...evidence.map((line) => `      ${line}`)].join('\n'))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof TypeError ? error.message : error)
}
