import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type Ports, serviceNames } from '@gatehouse/local'
import { startOwned } from '@gatehouse/testkit'
import type { Benchmark, Finding } from '../benchmark.ts'
import { root } from '../results.ts'
import { spreadOf } from '../statistics.ts'

const startBoundMs = 120_000

/** How long people wait: for all of it, and for one service. */
export const start: Benchmark = {
  name: 'start',
  about:
    '`npm start` on a machine that has started before, until it says ready; and each service from its process to /readyz, with its dependencies there',
  async run(bench) {
    const isFull = bench.effort.name === 'full'
    // Only the second start of a folder counts: too long for a quick run, and the smoke leaves `npm start` to its own tests.
    const wholes = isFull ? await startHouses(7) : []
    const { local } = await bench.house()
    const findings: Finding[] = []
    if (wholes.length > 0)
      findings.push({
        name: 'start',
        what: 'npm start',
        figure: spreadOf(wholes),
        unit: 's',
        goal: { of: 'figure', most: 8 },
        conditions: { starts: wholes.length },
      })
    const rounds = isFull ? 9 : 1
    for (const name of bench.effort.name === 'smoke' ? (['user'] as const) : serviceNames) {
      const seconds: number[] = []
      for (let round = 0; round < rounds; round++) {
        await local.stopService(name)
        const began = performance.now()
        await local.startService(name)
        seconds.push((performance.now() - began) / 1000)
      }
      bench.say(`  ${name}: ${spreadOf(seconds).median.toFixed(2)} s`)
      findings.push({
        name: 'start',
        what: `service ${name}`,
        figure: spreadOf(seconds),
        unit: 's',
        goal: { of: 'figure', most: 1.5 },
        conditions: { starts: rounds },
      })
    }
    return findings
  },
}

/** Starts the whole house again and again in one folder, the first time (which makes the database) apart; answers the seconds. */
async function startHouses(count: number): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-start-'))
  try {
    const seconds: number[] = []
    await startHouse(folder)
    for (let round = 0; round < count; round++) seconds.push(await startHouse(folder))
    return seconds
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function startHouse(folder: string): Promise<number> {
  const env = { ...process.env, ...portVariables(await freePorts()), STATE_FOLDER: folder }
  const began = performance.now()
  await using child = await startOwned({
    // What npm runs: npm itself passes no signal on, so that nobody could stop it.
    command: process.execPath,
    args: [join(root, 'scripts/run.mjs'), 'start'],
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 60_000,
    cwd: root,
    env,
  })
  const ready = await child.line((line) => line.includes('ready after'), startBoundMs)
  if (ready === undefined) throw new Error(`the start was not ready; it said:\n${child.lastLines.join('\n')}`)
  return (performance.now() - began) / 1000
}

function portVariables({ origin, smtp, services }: Ports): Record<string, string> {
  const variables: Record<string, string> = { ORIGIN_PORT: String(origin), SMTP_PORT: String(smtp) }
  for (const name of serviceNames) {
    for (const door of ['grpc', 'web', 'metrics'] as const) variables[`${name}_${door}_PORT`.toUpperCase()] = String(services[name][door])
  }
  return variables
}
