import { setTimeout as delay } from 'node:timers/promises'
import { serviceNames } from '@gatehouse/local'
import type { SmallDisk } from '@gatehouse/testkit'
import { drained, whileBrokerIsDown } from '../broker.ts'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { type Load, startLoad } from '../load.ts'
import { backPressure } from '../metrics.ts'
import type { Scenario } from '../scenario.ts'
import { brokerOnSmallDisk, databaseOnSmallDisk } from '../small-disks.ts'
import { within } from '../until.ts'

const megabyte = 1024 * 1024
const stream = { NATS_STREAM_BYTES: String(8 * megabyte) }

/** The broker and the database stand on small disks, and those fill. */
export const fullDisk: Scenario = {
  name: 'full-disk',
  faults: 'the disk of NATS and the disk of Postgres’s tables full, and freed',
  promise:
    'with NATS’s disk full writes go on and their events follow; with Postgres’s full calls end in time with unavailable, and work again within ten seconds when there is room; nothing acknowledged is lost',
  house: { extra: Object.fromEntries(serviceNames.map((name) => [name, stream])) },
  async run(house, { random, effort, say }) {
    const faultsBefore = house.history.faults.length
    const found: Violation[] = []
    const half = effort.faults / 2
    {
      await using disk = await brokerOnSmallDisk(house, 64 * megabyte)
      if (disk === undefined) say('left out: no disk can be mounted here')
      else {
        await using load = await startLoad(house, { random, administrators: 3, people: 2, pauseMs: 30 })
        while (house.history.faults.length - faultsBefore < half)
          found.push(...(await brokerFull(house, disk, load, random.integer(200, 1_500))))
        await load.stop()
      }
    }
    {
      await using disk = await databaseOnSmallDisk(house, 128 * megabyte)
      if (disk === undefined) return found
      await using load = await startLoad(house, { random: random.fork('database'), administrators: 3, people: 2, pauseMs: 30 })
      const from = house.history.operations.length
      while (house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations)
        found.push(...(await databaseFull(house, disk, load, random.integer(200, 1_500))))
      await load.stop()
      found.push(...untyped(house, from))
    }
    return found
  },
}

const sentences = {
  'writes-go-on': 'with the broker’s disk full writes go on, and what waits can be seen',
  'events-follow':
    'when the broker’s disk has room, and the broker was started again where that was needed, the events follow within ten seconds',
  'bounded-waits':
    'with the database’s disk full calls end in time, with an answer or with unavailable, deadline_exceeded or resource_exhausted',
  recovers: 'when the database’s disk has room, everything works again within ten seconds',
}
const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

async function brokerFull(house: Constellation, disk: SmallDisk, load: Load, ms: number): Promise<Violation[]> {
  const found: Violation[] = []
  house.history.fault('disk of nats full')
  await disk.fill()
  const before = load.operations
  if (!(await within(10_000, () => load.operations > before + 5)))
    found.push(violation('writes-go-on', 'no operation ended within ten seconds'))
  const seen = await within(10_000, async () => (await backPressure(house, 'user')).depth > 0)
  if (!seen) found.push(violation('writes-go-on', 'nothing waits in the outbox of user, as the metrics tell'))
  await delay(ms)
  await disk.free()
  // A server that could not write its streams gives them up until it is started again.
  await whileBrokerIsDown(house, 'started again with room on its disk', async () => undefined)
  if (!(await drained(house, 10_000))) found.push(violation('events-follow', 'something waits still, ten seconds later'))
  return found
}

async function databaseFull(house: Constellation, disk: SmallDisk, load: Load, ms: number): Promise<Violation[]> {
  house.history.fault('disk of postgres full')
  await disk.fill()
  await delay(ms)
  await disk.free()
  const before = load.operations
  return (await within(10_000, () => load.operations > before + 5)) ? [] : [violation('recovers', 'no operation ended within ten seconds')]
}

const typedCodes = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])
const latestMs = 6_500

function untyped({ history }: Constellation, from: number): Violation[] {
  const wrong = history.operations
    .slice(from)
    .flatMap(({ op, attempts }) =>
      attempts.flatMap(({ invoked, answered = invoked, outcome }) =>
        (outcome?.kind === 'unknown' && !typedCodes.has(outcome.code)) || answered - invoked > latestMs
          ? [
              `${op} ended after ${answered - invoked} ms with ${outcome?.kind === 'done' ? 'an answer' : `${outcome?.code} ${outcome?.reason}`}`,
            ]
          : [],
      ),
    )
  return wrong.length === 0 ? [] : [violation('bounded-waits', ...wrong.slice(0, 10), `${wrong.length} in all`)]
}
