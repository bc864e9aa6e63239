import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceName, serviceNames } from '@gatehouse/local'
import type { Constellation } from '../constellation.ts'
import { startLoad } from '../load.ts'
import type { Random } from '../random.ts'
import { relayEpoch, relayHolder } from '../relay-lease.ts'
import type { Replica } from '../replica.ts'
import type { Scenario } from '../scenario.ts'

/** Longer than a lease. */
const takeOverMs = 15_000
/** Longer than the answer of a stream is waited for. */
const silenceMs = 3_000

/** The relays of all three services lose their holders, each time in the middle of their work. */
export const relayFaults: Scenario = {
  name: 'relay-faults',
  faults:
    'the relay killed between fetch and publish, and between publish and mark; frozen past its lease and thawed; cut off from its database past its lease',
  promise: 'no event is lost, the order of each key is kept, and a fenced leader publishes nothing new',
  async run(house, { random, effort }) {
    await using load = await startLoad(house, { random, administrators: effort.name === 'smoke' ? 3 : 6, pauseMs: 10 })
    const rounds = Math.max(1, Math.round(effort.faults / serviceNames.length))
    for (let round = 0; round < rounds; round++) {
      // Side by side: each service has a lease of its own, and taking one over takes its time.
      await Promise.all(serviceNames.map((service) => oneFault(house, service, random.fork(`${service} ${round}`))))
    }
    await load.stop()
    return []
  },
}

async function oneFault(house: Constellation, service: ServiceName, random: Random): Promise<void> {
  await delay(random.integer(0, 400))
  const leader = await relayHolder(house, service)
  const kind = random.pick([
    'before the publication',
    'before the answer',
    'before the mark',
    'frozen',
    'cut off',
    'silent broker',
  ] as const)
  if (kind === 'frozen') return await frozenPastItsLease(house, leader)
  if (kind === 'cut off') return await cutOffPastItsLease(house, leader)
  if (kind === 'silent broker') return await withSilentBroker(house, leader)
  const nats = `${leader.name}→nats`
  const postgres = `${leader.name}→postgres`
  // What is held here is what it was about to say, or to be told, when it dies.
  if (kind === 'before the publication') await house.links.set(nats, { kind: 'half-open', direction: 'up' })
  if (kind === 'before the answer') await house.links.set(nats, { kind: 'half-open', direction: 'down' })
  if (kind === 'before the mark') await house.links.set(postgres, { kind: 'half-open', direction: 'up' })
  await delay(random.integer(20, 300))
  await leader.kill()
  // Half of the time what was under way still arrives, after the death of who said it.
  if (random.percent(50)) for (const link of [nats, postgres]) house.links.at(link).cut()
  await house.links.heal(nats, postgres)
  await delay(random.integer(0, 500))
  await leader.start()
}

async function frozenPastItsLease(house: Constellation, leader: Replica): Promise<void> {
  const epoch = await relayEpoch(house, leader.service)
  await leader.freeze()
  await untilTakenOver(house, leader.service, epoch)
  await leader.thaw()
}

/** It lives and publishes, and can neither keep its lease nor mark anything. */
async function cutOffPastItsLease(house: Constellation, leader: Replica): Promise<void> {
  const epoch = await relayEpoch(house, leader.service)
  const postgres = `${leader.name}→postgres`
  await house.links.set(postgres, { kind: 'blackhole' })
  await untilTakenOver(house, leader.service, epoch)
  await house.links.heal(postgres)
}

/** The broker says nothing for longer than an answer is waited for, and never hears what it was told meanwhile. */
async function withSilentBroker(house: Constellation, leader: Replica): Promise<void> {
  const nats = `${leader.name}→nats`
  await house.links.set(nats, { kind: 'blackhole' })
  await delay(silenceMs)
  house.links.at(nats).cut()
  await house.links.heal(nats)
}

async function untilTakenOver(house: Constellation, service: ServiceName, epoch: number): Promise<void> {
  for (const end = performance.now() + takeOverMs; performance.now() < end; await delay(50)) {
    if ((await relayEpoch(house, service)) > epoch) return
  }
}
