import { parseArgs } from 'node:util'
import { type Effort, efforts, type Scenario } from './scenario.ts'

export interface Options {
  readonly help: boolean
  readonly seed: number
  readonly effort: Effort
  /** Runs everything again and again, with the next seed each time, until so many minutes are over. */
  readonly minutes: number | undefined
  readonly chosen: readonly Scenario[]
  /** Where history and logs of each run stay. */
  readonly keep: string | undefined
  readonly planted: boolean
  /** Runs the checks of the release before on the schema of this tree. */
  readonly releaseChecks: boolean
  /** Writes the page from what is kept, and runs nothing. */
  readonly page: boolean
  /** Planted faults by name; all of them where there is none. */
  readonly names: readonly string[]
  /** So many seeds without a planted fault. */
  readonly clean: number | undefined
}

export const usage = `pnpm chaos [NAME …] [--minutes N] [--seed N] [--quick] [--keep FOLDER]
pnpm chaos --planted [NAME …] [--seed N]
pnpm chaos --clean N [--seed N]

  --minutes   again and again until so many minutes are over; of what has a length of its own (soak), how long it is
  --faults    so many of each scenario, about, in place of 60
  --seed      what schedules follow from; drawn and printed unless given
  --scenario  only this one, as its name alone does
  --quick     fewer faults: each scenario within two minutes; docs/reliability.md keeps its figures
  --smoke     what npm test runs
  --keep      history.ndjson and the services' logs stay in a folder for each run
  --planted   plants faults in copies of the tree: the checker has to find every one
  --release-checks  runs tests of the release before, with its code, on the schema of this tree
  --page      writes docs/reliability.md from results/latest.json, and runs nothing
  --clean     so many seeds over the same schedule without a planted fault: the checker may find none`

/** Reads the command line. Throws a TypeError with a sentence for a person. */
export function readOptions(args: readonly string[], scenarios: readonly Scenario[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      faults: { type: 'string' },
      seed: { type: 'string' },
      scenario: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean' },
      smoke: { type: 'boolean' },
      keep: { type: 'string' },
      planted: { type: 'boolean', default: false },
      clean: { type: 'string' },
      page: { type: 'boolean', default: false },
      'release-checks': { type: 'boolean', default: false },
    },
  })
  const ways = (['planted', 'clean', 'page', 'release-checks'] as const).filter((way) => values[way] !== undefined && values[way] !== false)
  if (ways.length > 1) throw new TypeError(`${ways.map((way) => `--${way}`).join(' and ')} are runs of their own: one at a time.`)
  const names = [...values.scenario, ...(values.planted ? [] : positionals)]
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown !== undefined)
    throw new TypeError(`There is no scenario ${unknown}; there are ${scenarios.map(({ name }) => name).join(', ')}.\n${usage}`)
  const effort = values.smoke ? efforts.smoke : values.quick ? efforts.quick : efforts.full
  const minutes = numberOf('minutes', values.minutes)
  const faults = wholeOf('faults', values.faults)
  const clean = wholeOf('clean', values.clean)
  // No seed at all has no alarm, and shows nothing.
  if (clean === 0) throw new TypeError('--clean takes a number of seeds, one at least')
  return {
    help: values.help,
    seed: wholeOf('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31),
    effort: { ...effort, ...(minutes !== undefined && { minutes }), ...(faults !== undefined && { faults }) },
    minutes,
    chosen: scenarios.filter(({ name, alone }) => (names.length === 0 ? !alone : names.includes(name))),
    keep: values.keep,
    planted: values.planted,
    page: values.page,
    releaseChecks: values['release-checks'],
    names: positionals,
    clean,
  }
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) throw new TypeError(`--${option} takes a number, not ${text}`)
  return value
}

function wholeOf(option: string, text: string | undefined): number | undefined {
  const value = numberOf(option, text)
  if (value !== undefined && !Number.isSafeInteger(value)) throw new TypeError(`--${option} takes a whole number, not ${text}`)
  return value
}
