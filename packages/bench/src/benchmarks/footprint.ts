import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceName, serviceNames } from '@gatehouse/local'
import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { type BetterAuth, betterAuthDatabase, startBetterAuth } from '../better-auth.ts'
import type { House } from '../house.ts'
import { loadBetterAuth, loadServices } from '../load-up.ts'
import { residentBytes } from '../processes.ts'
import { spreadOf } from '../statistics.ts'

type Program = ServiceName | 'better-auth'
type Figures = Readonly<Record<Program, number>>

const peer = 'better-auth in a bare server'

/** What a service holds of the machine's memory, and how long it takes to be there. */
export const footprint: Benchmark = {
  name: 'footprint',
  about:
    'resident memory (VmRSS) of each service when nobody calls and right after calls at full speed, and the time from its process to its first answer; better-auth is one process that mails nobody and publishes nothing',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    const databaseUrl = await betterAuthDatabase(local.postgresUrl, 'equal hash cost')
    const start = () => startBetterAuth(databaseUrl, local.origin, 'equal hash cost')
    // The first start makes its tables, so that the one that is timed finds them.
    if (bench.effort.name !== 'smoke') await (await start())[Symbol.asyncDispose]()
    const { theirs, startSeconds } = await startAnew(bench, house, start)
    await using _theirs = theirs
    const idleSeconds = { full: 10, quick: 1, smoke: 0 }[bench.effort.name]
    await delay(idleSeconds * 1000)
    const idle = await megabytes(house, theirs)
    const loadSeconds = Math.max(0.3, (bench.effort.name === 'full' ? 2 : 1) * bench.effort.seconds)
    await loadServices(bench, house, loadSeconds)
    await loadBetterAuth(theirs, local.origin, loadSeconds)
    const loaded = await megabytes(house, theirs)
    return [
      ...rowsOf('idle', idle, 'MB', { idle_seconds: idleSeconds }).map((row) => ({ ...row, goal: { of: 'figure', most: 160 } as const })),
      ...rowsOf('loaded', loaded, 'MB', { load_seconds: loadSeconds }),
      ...(startSeconds === undefined ? [] : rowsOf('start-up', startSeconds, 's', {})),
    ]
  },
}

/** A process that served already keeps what it took: these are new. The smoke leaves the services as they are. */
async function startAnew({ effort }: Bench, { local }: House, start: () => Promise<BetterAuth>) {
  const seconds = new Map<Program, number>()
  for (const name of effort.name === 'smoke' ? [] : serviceNames) {
    await local.stopService(name)
    seconds.set(name, (await timed(() => local.startService(name))).seconds)
  }
  const { result: theirs, seconds: theirSeconds } = await timed(start)
  seconds.set('better-auth', theirSeconds)
  return { theirs, startSeconds: effort.name === 'smoke' ? undefined : (Object.fromEntries(seconds) as Figures) }
}

async function timed<T>(act: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const began = performance.now()
  const result = await act()
  return { result, seconds: (performance.now() - began) / 1000 }
}

async function megabytes({ local }: House, theirs: BetterAuth): Promise<Figures> {
  const pids = [...serviceNames.map((name) => [name, local.process(name).pid] as const), ['better-auth', theirs.child.pid] as const]
  return Object.fromEntries(await Promise.all(pids.map(async ([name, pid]) => [name, (await residentBytes(pid)) / 1e6]))) as Figures
}

function rowsOf(state: string, figures: Figures, unit: string, conditions: Record<string, number>): Finding[] {
  return serviceNames.map((name) => ({
    name: 'footprint',
    what: `${name}, ${state}`,
    figure: spreadOf([figures[name]]),
    unit,
    against: { name: `${peer}, ${state}`, figure: spreadOf([figures['better-auth']]) },
    conditions,
  }))
}
