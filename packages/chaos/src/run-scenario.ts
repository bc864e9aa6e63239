import { check } from './checker/check.ts'
import { collect } from './checker/collect.ts'
import type { Evidence, Violation } from './checker/evidence.ts'
import { type Constellation, openConstellation } from './constellation.ts'
import { createRandom } from './random.ts'
import type { Effort, Scenario } from './scenario.ts'
import { settle } from './settle.ts'

/** What a scenario came to. */
export interface ScenarioResult {
  readonly scenario: string
  readonly seed: number
  readonly effort: Effort['name']
  readonly seconds: number
  readonly operations: number
  /** Of these, nobody was ever told what became of. */
  readonly unknown: number
  readonly faults: number
  readonly violations: readonly Violation[]
}

export interface RunOptions {
  readonly seed: number
  readonly effort: Effort
  readonly say: (line: string) => void
  /** Keeps history and logs there. */
  readonly folder?: string
  /** How long the dust may take to settle. */
  readonly settleMs?: number
}

/** Opens a house, lets the scenario happen in it, and checks everything afterwards. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const { seed, folder } = options
  await using parts = new AsyncDisposableStack()
  const needs = typeof scenario.house === 'function' ? await scenario.house(parts, options.say) : scenario.house
  await using house = await openConstellation({ seed, ...(folder !== undefined && { folder }), ...needs })
  return await runIn(house, [scenario], options)
}

/** The same; a scenario that breaks off shows nothing and is no clean one, but takes nothing from the figures of the others. */
export async function runToItsEnd(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const began = performance.now()
  try {
    return await runScenario(scenario, options)
  } catch (error) {
    const evidence = [error instanceof Error ? (error.stack ?? error.message) : String(error)]
    return {
      scenario: scenario.name,
      seed: options.seed,
      effort: options.effort.name,
      seconds: Math.round((performance.now() - began) / 100) / 10,
      operations: 0,
      unknown: 0,
      faults: 0,
      violations: [{ rule: 'comes-to-its-end', sentence: 'the scenario comes to its end, and is checked', evidence }],
    }
  }
}

/** Scenarios one after the other in one house, and one check of all of it: for houses that are alike. */
export async function runIn(house: Constellation, scenarios: readonly Scenario[], options: RunOptions): Promise<ScenarioResult> {
  const { seed, effort, say, settleMs } = options
  const began = performance.now()
  const own: Violation[] = []
  for (const scenario of scenarios) {
    own.push(...(await scenario.run(house, { random: createRandom(seed).fork(scenario.name), effort, say })))
    await house.restore()
  }
  const unsettled = await settle(house, settleMs)
  const evidence: Evidence = await collect(house, unsettled)
  return {
    scenario: scenarios.map(({ name }) => name).join('+'),
    seed,
    effort: effort.name,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    operations: evidence.operations.length,
    unknown: evidence.operations.filter(({ attempts }) =>
      attempts.every(({ outcome }) => outcome === undefined || outcome.kind === 'unknown'),
    ).length,
    faults: evidence.faults.length,
    violations: [...own, ...check(evidence)],
  }
}
