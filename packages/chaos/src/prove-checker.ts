import { plantedFaults } from '../planted/index.ts'
import type { PlantedFault } from '../planted/planted-fault.ts'
import type { Options } from './options.ts'
import { runScenario } from './run-scenario.ts'
import { type Effort, efforts, type Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { scratchTree } from './scratch-tree.ts'

/** As much as a planted fault needs to show itself, mostly. */
const effort: Effort = { ...efforts.quick, faults: 9, operations: 100 }
/** Whether a process dies in the moment that matters is luck: so many seeds may try. */
const seedsEach = 3
// What is never published is no reason to wait for a minute.
const settleMs = 20_000

/** Plants every fault (or those that are named) in a copy of the tree and lets its scenario happen there; true when each was found. */
export async function findPlanted({ names, seed }: Pick<Options, 'names' | 'seed'>): Promise<boolean> {
  const unknown = names.find((name) => !plantedFaults.some((fault) => fault.name === name))
  if (unknown !== undefined)
    throw new TypeError(`There is no planted fault ${unknown}; there are ${plantedFaults.map(({ name }) => name).join(', ')}.`)
  let missed = 0
  for (const fault of plantedFaults.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const found = await find(fault, seed)
    console.log(found ? `✓ ${fault.name} is found: ${found}` : `✗ ${fault.name} is NOT found: ${fault.mistake}`)
    if (!found) missed++
  }
  return missed === 0
}

async function find(fault: PlantedFault, seed: number): Promise<string | undefined> {
  await using tree = await scratchTree(fault.edits)
  const scenario = scenarioCalled(fault.scenario)
  // What needs no second replica has one: all calls that are under way die with it.
  const replicas = scenario.name === 'kill-services' ? 1 : 2
  const ownHouse = typeof scenario.house === 'function' ? {} : scenario.house
  const there: Scenario = { ...scenario, house: { ...ownHouse, replicas, schemaOf: tree.folder, codeOf: tree.folder, ...fault.house } }
  for (let attempt = 0; attempt < seedsEach; attempt++) {
    const { violations, seconds } = await runScenario(there, { seed: seed + attempt, effort, settleMs, say: () => undefined })
    const rules = violations.map(({ rule }) => rule)
    if (rules.some((rule) => fault.rules.includes(rule)))
      return `${rules.join(', ')} (seed ${seed + attempt}, ${seconds} s): ${violations[0]?.evidence[0]}`
  }
  return undefined
}

/** The same schedules without a planted fault, over so many seeds; true when there was no alarm. */
export async function findNothing({ seed }: Pick<Options, 'seed'>, seeds: number): Promise<boolean> {
  const names = [...new Set(plantedFaults.map(({ scenario }) => scenario))]
  let alarms = 0
  for (let at = seed; at < seed + seeds; at++) {
    for (const name of names) {
      const { operations, faults, violations, seconds } = await runScenario(scenarioCalled(name), {
        seed: at,
        effort,
        say: () => undefined,
      })
      console.log(`${violations.length === 0 ? '✓' : '✗'} ${name}, seed ${at}: ${operations} operations × ${faults} faults, ${seconds} s`)
      for (const { rule, evidence } of violations) console.log([`    ${rule}`, ...evidence].join('\n      '))
      alarms += violations.length
    }
  }
  return alarms === 0
}

function scenarioCalled(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name)
  if (!scenario) throw new TypeError(`there is no scenario ${name}`)
  return scenario
}
