import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceName, serviceNames } from '@gatehouse/local'
import { asBroker, copyStore, drained, replayAll, rollStoreBack, whileBrokerIsDown, wipeStore } from '../broker.ts'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { type Load, startLoad } from '../load.ts'
import { backPressure } from '../metrics.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { within } from '../until.ts'

/** The broker is away, loses everything or a part, or has no room; nobody who writes notices. */
export const brokerAway: Scenario = {
  name: 'broker-away',
  faults:
    'NATS down (once for two minutes) under load and back, its store wiped, rolled back to an old copy, a stream full, its links broken',
  promise:
    'writes go on, the back-pressure is visible, the outbox drains, a replay restores the stream, and the effects of consumers stay single',
  async run(house, { random, effort }) {
    const faultsBefore = house.history.faults.length
    const began = new Date()
    await using load = await startLoad(house, { random, administrators: 3, people: 2, pauseMs: 30 })
    const violations: Violation[] = []
    const day: Day = { house, load, random, began, violations, say: (...sentence) => violations.push(...told(...sentence)) }
    await outage(day, effort.minutes * 6_000)
    const all = [wiped, flickering, rolledBack, full, () => outage(day, random.integer(300, 3_000)), flickering]
    // What is cheap, and leaves the house as the other rules want it.
    const kinds = effort.name === 'smoke' ? [flickering] : all
    for (
      let turn = 0;
      turn < kinds.length || house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations;
      turn++
    )
      await kinds[turn % kinds.length]?.(day)
    await load.stop()
    return violations
  },
}

interface Day {
  readonly house: Constellation
  readonly load: Load
  readonly random: Random
  readonly began: Date
  readonly violations: Violation[]
  say(rule: Rule, evidence: string): void
}

const sentences = {
  'writes-go-on': 'while the broker is away or full, writes go on',
  'back-pressure-visible': 'depth and age of an outbox that waits stand in the metrics',
  'outbox-drains': 'the outbox drains within ten seconds when the broker is back',
}
type Rule = keyof typeof sentences
const told = (rule: Rule, evidence: string): Violation[] => [{ rule, sentence: sentences[rule], evidence: [evidence] }]

const drainMs = 10_000

async function outage(day: Day, ms: number): Promise<void> {
  await whileBrokerIsDown(day.house, `down for ${ms} ms`, async () => {
    await delay(ms)
    await goesOn(day, 'down', 'user')
  })
  await drains(day, 'it was down')
}

async function wiped(day: Day): Promise<void> {
  await whileBrokerIsDown(day.house, 'store wiped', () => wipeStore(day.house))
  await replayAll(day.house, day.began)
  await drains(day, 'its store was wiped')
}

async function rolledBack(day: Day): Promise<void> {
  const { house, random } = day
  const copied = Date.now()
  await whileBrokerIsDown(house, 'down for a copy', () => copyStore(house))
  await drains(day, 'it was down for a copy')
  await delay(random.integer(500, 3_000))
  await whileBrokerIsDown(house, 'store rolled back', () => rollStoreBack(house))
  // From before the copy: what was written before it may have been published after it.
  await replayAll(house, new Date(Math.max(day.began.getTime(), copied - 60_000)))
  await drains(day, 'its store was rolled back')
}

/** An operator gave the stream too little room, and gives it more. */
async function full(day: Day): Promise<void> {
  const { house } = day
  const service: ServiceName = 'user'
  const bytes = await asBroker(house, async ({ streams }) => (await streams.info(`gatehouse-${service}`)).state.bytes)
  house.history.fault(`nats stream of ${service} full`)
  await restartWith(house, service, { NATS_STREAM_BYTES: String(Math.max(1024, bytes)) })
  await goesOn(day, 'full', service)
  await restartWith(house, service, {})
  await drains(day, 'its stream had room again')
}

/** One after the other, as an operator does. */
async function restartWith(house: Constellation, service: ServiceName, extra: Record<string, string>): Promise<void> {
  for (const replica of house.of(service)) {
    replica.extra = extra
    await replica.term()
    await replica.start()
  }
}

async function flickering({ house, random }: Day): Promise<void> {
  const links = house.links.matching(/→nats$/)
  for (let i = 0; i < 5; i++) {
    const link = random.pick(links)
    const ms = random.integer(20, 600)
    if (random.percent(30)) house.links.cut(link)
    else {
      const kind = random.pick(['reset', 'blackhole', 'refuse', 'drip', 'latency'] as const)
      await house.links.set(
        link,
        kind === 'latency' ? { kind, ms: 200, jitterMs: 200 } : kind === 'drip' ? { kind, bytesPerSecond: 2_000 } : { kind },
      )
    }
    await delay(ms)
    await house.links.heal(link)
  }
}

/** Something is written, it waits, and that can be seen. */
async function goesOn(day: Day, state: string, service: ServiceName): Promise<void> {
  const { house, load } = day
  const before = load.operations
  const written = await within(10_000, () => load.operations > before + 1)
  if (!written) day.say('writes-go-on', `no operation ended within ten seconds while the broker was ${state}`)
  const seen = await within(10_000, async () => {
    const { depth, ageSeconds } = await backPressure(house, service)
    return depth > 0 && ageSeconds > 0
  })
  if (!seen)
    day.say('back-pressure-visible', `nothing waited in the outbox of ${service}, as the metrics tell, while the broker was ${state}`)
}

async function drains({ house, say }: Day, after: string): Promise<void> {
  const began = performance.now()
  if (!(await drained(house, drainMs)))
    say(
      'outbox-drains',
      `after ${after}, something still waited ${Math.round(performance.now() - began)} ms later (${serviceNames.join(', ')})`,
    )
}
