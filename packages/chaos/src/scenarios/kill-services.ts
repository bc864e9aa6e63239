import { setTimeout as delay } from 'node:timers/promises'
import { serviceNames } from '@gatehouse/local'
import type { Constellation } from '../constellation.ts'
import { startLoad } from '../load.ts'
import type { Random } from '../random.ts'
import type { Replica } from '../replica.ts'
import type { Scenario } from '../scenario.ts'
import { within } from '../until.ts'

/** Each service is killed again and again, in the middle of whatever it does. */
export const killServices: Scenario = {
  name: 'kill-services',
  faults: '`kill -9` of each service at random points during sign-ups, updates and refreshes',
  promise:
    'each acknowledged write has its row and its events once in effect, each unacknowledged one has all or nothing, and a retry with the same request_id gives one result',
  async run(house, { random, effort }) {
    // A database and a mail server some milliseconds away make the moments between two statements long enough to die in.
    const far = random.fork('far')
    for (const name of house.links.matching(/→postgres$/))
      await house.links.at(name).set({ kind: 'latency', ms: far.integer(1, 6), jitterMs: 4 })
    for (const name of house.links.matching(/→smtp$/)) await house.links.at(name).set({ kind: 'latency', ms: 5 })
    const small = effort.name === 'smoke'
    const refreshers = small ? 2 : 4
    await using load = await startLoad(house, { random, administrators: small ? 3 : 6, people: small ? 1 : 3, refreshers, pauseMs: 10 })
    // Nobody refreshes who has not signed up, which takes a mail.
    await within(
      30_000,
      () => house.history.operations.filter(({ op, worker }) => op === 'refresh' && worker.startsWith('refresher')).length >= refreshers,
    )
    const restarts = new Set<Promise<void>>()
    for (let kills = 0; kills < effort.faults; kills++) {
      const service = serviceNames[kills % serviceNames.length] ?? 'user'
      const victim = random.pick(house.of(service))
      // Some die while they start; the others when they have served for a while, at a moment that has nothing to do with what they do.
      if (!random.percent(15)) await within(30_000, () => victim.ports !== undefined)
      const enough = load.operations + effort.operations / (effort.faults + 1)
      await within(10_000, () => load.operations >= enough)
      await delay(random.integer(50, 300))
      if (!victim.isUp) continue
      await killInTheMiddle(house, victim, random)
      // The other one of its kind may be down as well: then the service is away for a moment.
      const restart = delay(random.integer(0, 300)).then(() => victim.start())
      restarts.add(restart)
      void restart.then(() => restarts.delete(restart))
    }
    await Promise.all(restarts)
    await within(60_000, () => load.operations >= effort.operations)
    await load.stop()
    return []
  },
}

/** Half of the time the last answers of the database do not reach it: whatever it does in more than one statement, it dies between two of them. */
async function killInTheMiddle(house: Constellation, victim: Replica, random: Random): Promise<void> {
  const link = `${victim.name}→postgres`
  const before = house.links.at(link).fault
  const waitMs = random.integer(5, 80)
  if (random.percent(50)) {
    await house.links.set(link, { kind: 'half-open', direction: 'down' })
    await delay(waitMs)
  }
  await victim.kill()
  await house.links.at(link).set(before)
}
