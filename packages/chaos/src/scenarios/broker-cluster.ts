import { setTimeout as delay } from 'node:timers/promises'
import { serviceNames } from '@gatehouse/local'
import { asBroker, drained } from '../broker.ts'
import type { BrokerNode } from '../brokers.ts'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { failedCalls } from '../failed-calls.ts'
import { startLoad } from '../load.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { within } from '../until.ts'

const copies = 3

/** Any one server of a cluster of three is killed under load, also the one that leads. */
export const brokerCluster: Scenario = {
  name: 'broker-cluster',
  faults: '`kill -9` of each of three nats-servers in turn under load, and of whichever leads a stream, or the cluster',
  promise: 'no call fails, nothing is lost, and what waits for a new leader has left within twenty seconds',
  house: { brokers: copies },
  async run(house, { random, effort, say }) {
    const violations: Violation[] = []
    const begun = house.history.operations.length
    const faultsBefore = house.history.faults.length
    if (!(await within(30_000, () => haveCopies(house))))
      violations.push(violation('copies', 'a stream has fewer than three after half a minute'))
    await using load = await startLoad(house, { random, administrators: 3, people: 2, pauseMs: 30, givesUpPercent: 0 })
    const waits: number[] = []
    for (let turn = 0; house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations; turn++) {
      if (!(await within(60_000, () => isWhole(house)))) {
        violations.push(violation('whole', `a minute after ${house.history.faults.at(-1)?.fault ?? 'the start'}`))
        break
      }
      const { node, role } = await victim(house, random, turn)
      house.history.fault(`kill -9 ${node.name} (${role})`)
      await node.kill()
      const before = load.operations
      await delay(random.integer(50, 500))
      const began = performance.now()
      if (!(await drained(house, patienceMs))) violations.push(violation('follow', `after ${role} was killed`))
      waits.push(performance.now() - began)
      if (!(await within(10_000, () => load.operations > before + 5)))
        violations.push(violation('follow', `no operation ended in ten seconds after ${role} was killed`))
      await delay(random.integer(0, 1_000))
      await node.start()
    }
    await load.stop()
    await within(60_000, () => isWhole(house))
    say(
      `${waits.length} servers killed; events that were written meanwhile had left after ${Math.round(Math.max(...waits))} ms at the most`,
    )
    return [...violations, ...failedCalls(house.history.operations.slice(begun))]
  },
}

/** A new leader is chosen within nine seconds, and what was on its way is told again after two. */
const patienceMs = 20_000

const sentences = {
  copies: 'every stream has three copies',
  whole: 'a server that comes back catches up with the others within a minute',
  follow: 'with one of three servers dead writes go on, and their events leave within twenty seconds',
}
const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({
  rule: `cluster-${rule}`,
  sentence: sentences[rule],
  evidence,
})

/** Each in turn, and between them whoever leads something now. */
async function victim(house: Constellation, random: Random, turn: number): Promise<{ node: BrokerNode; role: string }> {
  const { brokers } = house.servers
  const service = random.pick(serviceNames)
  const leading = [
    { node: await leaderOf(house, service), role: `leads the stream of ${service}` },
    { node: await brokers.metaLeader(), role: 'leads the cluster' },
  ][turn % 3]
  const node = brokers.nodes[Math.floor(turn / 3) % brokers.nodes.length] as BrokerNode
  return leading?.node ? { node: leading.node, role: leading.role } : { node, role: 'in its turn' }
}

async function leaderOf(house: Constellation, service: string): Promise<BrokerNode | undefined> {
  const { cluster } = await asBroker(house, ({ streams }) => streams.info(`gatehouse-${service}`))
  return house.servers.brokers.named(cluster?.leader)
}

async function haveCopies(house: Constellation): Promise<boolean> {
  const all = await asBroker(house, ({ streams }) => Promise.all(serviceNames.map((name) => streams.info(`gatehouse-${name}`)))).catch(
    () => [],
  )
  return all.length > 0 && all.every(({ config, cluster }) => config.num_replicas === copies && cluster?.replicas?.length === copies - 1)
}

/** All run and hold everything: whoever kills one now leaves two. */
async function isWhole(house: Constellation): Promise<boolean> {
  if (!(await house.servers.brokers.isWhole())) return false
  const all = await asBroker(house, ({ streams }) => Promise.all(serviceNames.map((name) => streams.info(`gatehouse-${name}`)))).catch(
    () => [],
  )
  return (
    all.length > 0 &&
    all.every(({ cluster }) => cluster?.leader && (cluster.replicas ?? []).every(({ current, offline }) => current && offline !== true))
  )
}
