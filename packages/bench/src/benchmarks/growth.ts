import { createWorkloadSigner, tenantHeader, workloadHeader } from '@gatehouse/identity'
import type { Bench, Benchmark, Effort, Finding, Spread } from '../benchmark.ts'
import { type Child, cores, startChild } from '../child.ts'
import { somebody } from '../crowd.ts'
import { type Distribution, draw } from '../draw.ts'
import { type GrowingHouse, type Memory, openGrowingHouse } from '../growing-house.ts'
import type { CrowdCalls } from '../load/crowd-calls.ts'
import type { OpenResult } from '../load/open-loop.ts'
import { pin, postmasterOf } from '../processes.ts'
import type { GrowthClientActs } from '../programs/growth-client.ts'
import { spreadOf } from '../statistics.ts'

const acts = ['GetUser', 'ListUsers, a page of 50 anywhere', 'SearchUsers, the start of a name', 'sign-in'] as const
type Act = (typeof acts)[number]
const distributions: readonly Distribution[] = ['uniform', 'Zipf']
const paths: Readonly<Record<Exclude<Act, 'sign-in'>, string>> = {
  GetUser: '/gatehouse.user.v1.UserService/GetUser',
  'ListUsers, a page of 50 anywhere': '/gatehouse.user.v1.UserService/ListUsers',
  'SearchUsers, the start of a name': '/gatehouse.user.v1.UserService/SearchUsers',
}

/** How long each load goes on, and how much of it there is. */
interface Course {
  readonly sizes: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

function courseOf({ name, rounds, seconds, warmUpSeconds }: Effort, people: number): Course {
  if (name === 'smoke') return { sizes: [1_000, 3_000], rounds: 1, seconds: 0.1, warmUpSeconds: 0.1 }
  if (name === 'quick') return { sizes: [10_000, 100_000], rounds: 1, seconds: 0.5, warmUpSeconds: 0.2 }
  const sizes = [10_000, ...[1_000_000, 10_000_000].filter((size) => size < people), Math.max(people, 20_000)]
  return { sizes, rounds: Math.min(3, rounds), seconds: 1.5 * seconds, warmUpSeconds }
}

/** What one load at one size came to. */
interface Measured {
  readonly rounds: readonly OpenResult[]
  /** Share of the pages that were in the shared buffers. */
  readonly hitRatio: number
}

/** So that even a moment of the slowest has calls in it. */
const leastRate = 20

type Key = `${Act} ${Distribution}`

/** A house that more and more people live in should answer each of them as fast as before. */
export const growth: Benchmark = {
  name: 'growth',
  about:
    'reads and sign-ins as the house grows: calls that begin at fixed times at half of what ten thousand people were served with, Postgres started cold with a quarter of the data as shared buffers',
  alone: true,
  async run(bench) {
    const course = courseOf(bench.effort, bench.people)
    await using growing = await openGrowingHouse()
    await using client = await startChild<GrowthClientActs>('growth-client', cores.client)
    const rates = new Map<Act, number>()
    const bySize = new Map<number, Map<Key, Measured>>()
    const memories = new Map<number, Memory>()
    for (const size of course.sizes) {
      const began = performance.now()
      await growing.grow(size)
      const plans = await planOf(growing, size, course)
      const memory = await growing.open()
      memories.set(size, memory)
      bench.say(
        `  ${size.toLocaleString('en')} people after ${((performance.now() - began) / 1000).toFixed(0)} s: ${memory.dataMb} MB, shared buffers ${memory.sharedBuffersMb} MB`,
      )
      bySize.set(size, await measure(bench, course, growing, client, plans, rates))
    }
    const [smallest = 0, ...larger] = course.sizes
    return larger.flatMap((size) =>
      acts.flatMap((act) =>
        distributions.map((distribution): Finding => {
          const key: Key = `${act} ${distribution}`
          const ours = bySize.get(size)?.get(key)
          const base = bySize.get(smallest)?.get(key)
          const memory = memories.get(size)
          if (!ours || !base || !memory) throw new Error(`${key} was not measured`)
          return {
            name: 'growth',
            what: `${act}, ${distribution} keys, ${size.toLocaleString('en')} people, p99`,
            figure: spreadOf(ours.rounds.map(({ p99Ms }) => p99Ms)),
            unit: 'ms',
            against: { name: `itself with ${smallest.toLocaleString('en')}`, figure: spreadOf(base.rounds.map(({ p99Ms }) => p99Ms)) },
            ratio: ratioToMedian(ours.rounds, base.rounds),
            goal: { of: 'ratio', most: 1.5 },
            conditions: {
              calls_per_second: Math.round(rates.get(act) ?? 0),
              p50_ms: Number(spreadOf(ours.rounds.map(({ p50Ms }) => p50Ms)).median.toFixed(2)),
              hit_ratio: Number(ours.hitRatio.toFixed(4)),
              hit_ratio_of_the_smallest: Number(base.hitRatio.toFixed(4)),
              data_mb: memory.dataMb,
              shared_buffers_mb: memory.sharedBuffersMb,
              rounds: course.rounds,
              seconds_a_round: course.seconds,
            },
          }
        }),
      ),
    )
  },
}

/** The sizes are measured one after the other, so rounds are no neighbours in time: each is held against the middle of the others. */
function ratioToMedian(ours: readonly OpenResult[], base: readonly OpenResult[]): Spread {
  const middle = spreadOf(base.map(({ p99Ms }) => p99Ms)).median
  return spreadOf(ours.map(({ p99Ms }) => p99Ms / middle))
}

/** Whom the calls of one distribution ask for, each time others. */
interface Series {
  next(act: Exclude<Act, 'sign-in'>, count: number): CrowdCalls
  emails(count: number): readonly string[]
}
type Plans = Readonly<Record<Distribution, Series>>

/** More calls a second than any of them is served with on one core. */
const mostASecond: Readonly<Record<Act, number>> = {
  GetUser: 20_000,
  'ListUsers, a page of 50 anywhere': 2_000,
  'SearchUsers, the start of a name': 5_000,
  'sign-in': 200,
}

/** Drawn before Postgres starts cold: what is looked up for it must not be in its buffers. */
async function planOf(growing: GrowingHouse, people: number, { seconds, rounds, warmUpSeconds }: Course): Promise<Plans> {
  const all = 3 * warmUpSeconds + (rounds + 2) * seconds
  const plan = async (distribution: Distribution): Promise<Series> => {
    const numbers = draw(distribution, people, Math.ceil(all * mostASecond.GetUser))
    const drawn = numbers.slice(0, Math.ceil(all * mostASecond['ListUsers, a page of 50 anywhere']))
    const created = await growing.timesOf(drawn)
    const timeOf = new Map(drawn.map((number, at) => [number, created[at] ?? new Date(0)]))
    // Behind the very last there is no page.
    const last = [...timeOf].reduce((latest, each) => (isBehind(each, latest) ? each : latest))[0]
    const pages = drawn.filter((number) => number !== last)
    const taken = new Map<Act, number>()
    const take = (act: Act, count: number, of: readonly number[]): readonly number[] => {
      const from = taken.get(act) ?? 0
      taken.set(act, from + count)
      return Array.from({ length: count }, (_, offset) => of[(from + offset) % of.length] ?? 0)
    }
    return {
      next(act, count) {
        if (act === 'GetUser') return { rpc: 'GetUser', numbers: take(act, count, numbers) }
        if (act === 'SearchUsers, the start of a name') return { rpc: 'SearchUsers', numbers: take(act, count, numbers) }
        const behind = take(act, count, pages)
        return { rpc: 'ListUsers', numbers: behind, times: behind.map((number) => timeOf.get(number) ?? new Date(0)) }
      },
      emails: (count) => take('sign-in', count, numbers).map((number) => somebody(number).email),
    }
  }
  return { uniform: await plan('uniform'), Zipf: await plan('Zipf') }
}

/** Whether one stands behind another in the order of a list. */
function isBehind([number, time]: readonly [number, Date], [other, otherTime]: readonly [number, Date]): boolean {
  return time.getTime() === otherTime.getTime() ? number > other : time > otherTime
}

/** Runs every load; at the smallest size it finds the rates first. */
async function measure(
  bench: Bench,
  course: Course,
  growing: GrowingHouse,
  client: Child<GrowthClientActs>,
  plans: Plans,
  rates: Map<Act, number>,
): Promise<Map<Key, Measured>> {
  const { house, password } = growing
  const { local } = house
  await pin(await postmasterOf(local.postgresUrl), cores.client)
  for (const name of ['user', 'auth'] as const) await pin(local.process(name).pid, cores.server)
  const ports = local.ports.services
  const door = { web: ports.auth.web, host: new URL(local.origin).host, password }
  const signer = await createWorkloadSigner(local.keyFile('example'))
  const measured = new Map<Key, Measured>()
  for (const act of acts) {
    const order = async (distribution: Distribution, seconds: number, perSecond: number) => ({
      port: ports.user.grpc,
      path: act === 'sign-in' ? '' : paths[act],
      headers: [
        ...(act === 'GetUser'
          ? ([[workloadHeader, await signer.tokenFor('user')]] as const)
          : ([['authorization', `Bearer ${await house.adminToken()}`]] as const)),
        [tenantHeader, 'default'] as const,
      ],
      calls:
        act === 'sign-in' ? { rpc: 'GetUser' as const, numbers: [] } : plans[distribution].next(act, Math.ceil(perSecond * seconds) + 4),
      seconds,
      connections: 4,
    })
    const closed = async (seconds: number) =>
      act === 'sign-in'
        ? await client.call('signInClosed', { ...door, emails: plans.uniform.emails(mostASecond[act] * seconds), seconds, inFlight: 8 })
        : await client.call('closed', { ...(await order('uniform', seconds, mostASecond[act])), inFlight: 64 })
    const open = async (distribution: Distribution, seconds: number) => {
      const perSecond = rates.get(act) ?? 1
      return act === 'sign-in'
        ? await client.call('signInOpen', {
            ...door,
            emails: plans[distribution].emails(Math.ceil(perSecond * seconds)),
            seconds,
            perSecond,
          })
        : await client.call('open', { ...(await order(distribution, seconds, perSecond)), perSecond })
    }
    await closed(course.warmUpSeconds)
    if (!rates.has(act)) rates.set(act, Math.max(leastRate, (await closed(course.seconds)).perSecond / 2))
    for (const distribution of distributions) {
      await open(distribution, course.warmUpSeconds)
      const before = await growing.pages()
      const rounds: OpenResult[] = []
      for (let round = 0; round < course.rounds; round++) rounds.push(await open(distribution, course.seconds))
      const after = await growing.pages()
      const hitRatio = (after.hit - before.hit) / Math.max(1, after.asked - before.asked)
      measured.set(`${act} ${distribution}`, { rounds, hitRatio })
      const { median } = spreadOf(rounds.map(({ p99Ms }) => p99Ms))
      const p50 = spreadOf(rounds.map(({ p50Ms }) => p50Ms)).median
      bench.say(
        `    ${act}, ${distribution}: ${Math.round(rates.get(act) ?? 0)}/s, p50 ${p50.toFixed(2)} ms, p99 ${median.toFixed(2)} ms, hit ratio ${hitRatio.toFixed(3)}`,
      )
    }
  }
  return measured
}
