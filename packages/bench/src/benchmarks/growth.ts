import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNats } from '@gatehouse/testkit'
import { keepAside } from '../aside.ts'
import type { Bench, Benchmark, Effort, Finding } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import { buffersSaid, type CrowdHome, openCrowdHome } from '../crowd-home.ts'
import { seriesFor } from '../crowd-plans.ts'
import type { Distribution } from '../draw.ts'
import { type Act, acts, type Caller, callerOf } from '../growth-calls.ts'
import { peopleWithPassword } from '../people.ts'
import type { GrowthClientActs } from '../programs/growth-client.ts'
import type { SessionClientActs } from '../programs/session-client.ts'
import { alternate } from '../rounds.ts'
import { percentile, spreadOf } from '../statistics.ts'
import { together } from '../together.ts'

/** How long each load goes on, and how much of it there is. */
interface Course {
  readonly sizes: readonly number[]
  readonly distributions: readonly Distribution[]
  readonly rounds: number
  /** Of a turn at least. */
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Of a turn, so that a hundredth of them is more than one call. */
  readonly leastCalls: Readonly<Record<'reads' | 'sign-ins', number>>
  readonly draws: number
  /** That are refreshed at once before anything counts. */
  readonly sessions: number
}

function courseOf({ name }: Effort, people: number): Course {
  const uniform = ['uniform'] as const
  // One, which is held against itself: the way there is the same.
  if (name === 'smoke')
    return {
      sizes: [500],
      distributions: uniform,
      rounds: 1,
      seconds: 0.1,
      warmUpSeconds: 0.1,
      leastCalls: { reads: 0, 'sign-ins': 0 },
      draws: 2_000,
      sessions: 4,
    }
  if (name === 'quick')
    return {
      sizes: [5_000, 20_000],
      distributions: uniform,
      rounds: 1,
      seconds: 0.3,
      warmUpSeconds: 0.2,
      leastCalls: { reads: 0, 'sign-ins': 16 },
      draws: 20_000,
      sessions: 16,
    }
  const sizes = [10_000, ...[1_000_000, 10_000_000].filter((size) => size < people), Math.max(people, 20_000)]
  return {
    sizes,
    distributions: ['uniform', 'Zipf'],
    rounds: 5,
    // The old generation of a busy replica is collected every few seconds, and each call of that moment waits: a shorter round has it, or has it not.
    seconds: 5,
    warmUpSeconds: 1.5,
    leastCalls: { reads: 600, 'sign-ins': 200 },
    draws: 200_000,
    sessions: 16,
  }
}

/** A size, and who calls it with the keys of which distribution. */
interface Side {
  readonly home: CrowdHome
  readonly callers: ReadonlyMap<Distribution, Caller>
}

/** A house that more and more people live in should answer each of them as fast as before. */
export const growth: Benchmark = {
  name: 'growth',
  about:
    'reads and sign-ins as the house grows: calls that begin at fixed times at half of what ten thousand people were served with; each size has a Postgres with a quarter of its data as shared buffers, but no fewer than it runs with, and they take turns',
  async run(bench) {
    const course = courseOf(bench.effort, bench.people)
    await using parts = new AsyncDisposableStack()
    const sides = await openSides(bench, course, parts)
    const findings: Finding[] = []
    for (const act of acts) {
      const perSecond = await rateOf(act, course, sides)
      for (const distribution of course.distributions)
        findings.push(...(await compare(bench, course, sides, { act, distribution, perSecond })))
    }
    return findings
  },
}

async function openSides(bench: Bench, course: Course, parts: AsyncDisposableStack): Promise<readonly Side[]> {
  const house = await bench.house()
  const { local } = house
  const { hash, password } = await peopleWithPassword(local)
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-growth-'))
  parts.defer(() => rm(folder, { recursive: true, force: true }))
  // A broker of its own: in the house somebody would be told of every sign-in.
  const nats = parts.use(await startNats({ storeDir: folder, streams: true }))
  const began = performance.now()
  const homes = await together(
    course.sizes.map(
      (size) => async (signal: AbortSignal) =>
        parts.use(await openCrowdHome({ local, people: size, hash, natsUrl: nats.url, durable: bench.effort.durable, signal })),
    ),
  )
  parts.use(await keepAside(local))
  const client = parts.use(await startChild<GrowthClientActs>('growth-client', cores.client))
  for (const { people, memory } of homes)
    bench.say(`  ${people.toLocaleString('en')} people: ${memory.dataMb} MB, shared buffers ${buffersSaid(memory)} MB`)
  bench.say(`  there after ${((performance.now() - began) / 1000).toFixed(0)} s`)
  const sides: Side[] = []
  for (const home of homes) {
    const callers = new Map<Distribution, Caller>()
    for (const distribution of course.distributions)
      callers.set(distribution, callerOf({ house, home, client, password, series: await seriesFor(home, distribution, course.draws) }))
    await warmUpSessions(home, new URL(local.origin).host, password, callers, course)
    sides.push({ home, callers })
  }
  return sides
}

/** A hundred sign-ins a second would take minutes until V8 has compiled what they share with refreshes. */
async function warmUpSessions(
  { auth }: CrowdHome,
  host: string,
  password: string,
  callers: Side['callers'],
  { warmUpSeconds, sessions: sessionCount }: Course,
): Promise<void> {
  const seconds = 2 * warmUpSeconds
  await using sessions = await startChild<SessionClientActs>('session-client', cores.client)
  const emails = callers.get('uniform')?.emails(sessionCount) ?? []
  await sessions.call('refresh', { web: auth.ports.web, grpc: auth.ports.grpc, host, emails, password, seconds, inFlight: sessionCount })
}

/** Half of what the smallest is served with; all have been asked as much as they can before that, so that their buffers hold what is asked for. */
async function rateOf(act: Act, course: Course, sides: readonly Side[]): Promise<number> {
  for (const { callers } of sides.toReversed()) for (const caller of callers.values()) await caller.closed(act, course.warmUpSeconds)
  const smallest = sides[0]?.callers.get('uniform')
  if (!smallest) throw new Error('there is no smallest crowd')
  return Math.max(1, (await smallest.closed(act, act === 'sign-in' ? Math.max(0.3, course.seconds) : Math.min(1, course.seconds))) / 2)
}

interface Load {
  readonly act: Act
  readonly distribution: Distribution
  readonly perSecond: number
}

/** Lets the sizes take turns under one load. */
async function compare(bench: Bench, course: Course, sides: readonly Side[], { act, distribution, perSecond }: Load): Promise<Finding[]> {
  const { rounds, warmUpSeconds, leastCalls } = course
  const seconds = Math.max(course.seconds, leastCalls[act === 'sign-in' ? 'sign-ins' : 'reads'] / perSecond)
  const before = await Promise.all(sides.map(({ home }) => home.pages()))
  const times = await alternate(
    { rounds, seconds, warmUpSeconds },
    Object.fromEntries(
      sides.map(({ home, callers }) => [
        home.people,
        async (turn: number) => (await callers.get(distribution)?.open(act, turn, perSecond)) ?? new Float64Array(),
      ]),
    ),
  )
  const after = await Promise.all(sides.map(({ home }) => home.pages()))
  const measured = sides.map(({ home }, at) => {
    const turns = times[home.people] ?? []
    const asked = (after[at]?.asked ?? 0) - (before[at]?.asked ?? 0)
    const hitRatio = ((after[at]?.hit ?? 0) - (before[at]?.hit ?? 0)) / Math.max(1, asked)
    const all = turns.flatMap((turn) => [...turn])
    return { home, all, hitRatio, rounds: turns.map((turn) => percentile(turn, 0.99)) }
  })
  const [base, ...larger] = measured
  if (!base) return []
  bench.say(
    `    ${act}, ${distribution}, ${perSecond.toFixed(0)}/s: ${measured.map(({ home, rounds: p99s, all }) => `${home.people.toLocaleString('en')} p50 ${percentile(all, 0.5).toFixed(2)} p99 ${spreadOf(p99s).median.toFixed(2)} (of all ${percentile(all, 0.99).toFixed(2)}) ms of ${all.length}`).join('; ')}`,
  )
  return (larger.length > 0 ? larger : measured).map(({ home, all, hitRatio, rounds: p99s }) => ({
    name: 'growth',
    what: `${act}, ${distribution} keys, ${home.people.toLocaleString('en')} people, p99`,
    figure: spreadOf(p99s),
    unit: 'ms',
    against: { name: `itself with ${base.home.people.toLocaleString('en')}`, figure: spreadOf(base.rounds) },
    ratio: spreadOf(p99s.map((each, round) => each / (base.rounds[round] ?? Number.NaN))),
    goal: { of: 'ratio', most: 1.5 },
    conditions: {
      calls_per_second: Math.round(perSecond),
      calls: all.length,
      p50_ms: Number(percentile(all, 0.5).toFixed(2)),
      p99_of_all_ms: Number(percentile(all, 0.99).toFixed(2)),
      p99_of_all_ms_of_the_smallest: Number(percentile(base.all, 0.99).toFixed(2)),
      hit_ratio: Number(hitRatio.toFixed(4)),
      hit_ratio_of_the_smallest: Number(base.hitRatio.toFixed(4)),
      data_mb: home.memory.dataMb,
      shared_buffers_mb: buffersSaid(home.memory),
      shared_buffers_mb_of_the_smallest: buffersSaid(base.home.memory),
      rounds,
      seconds_a_round: Number(seconds.toFixed(2)),
    },
  }))
}
