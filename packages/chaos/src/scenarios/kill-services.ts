import { setTimeout as delay } from 'node:timers/promises'
import { startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'
import { within } from '../until.ts'

/** Each service is killed again and again, in the middle of whatever it does. */
export const killServices: Scenario = {
  name: 'kill-services',
  faults: '`kill -9` of each service at random points during sign-ups, updates and refreshes',
  promise:
    'each acknowledged write has its row and its events once in effect, each unacknowledged one has all or nothing, and a retry with the same request_id gives one result',
  async run(house, { random, effort }) {
    // A database some milliseconds away makes the moments between two statements long enough to die in.
    const slow = random.fork('slow links')
    for (const name of house.links.matching(/→postgres$/))
      await house.links.at(name).set({ kind: 'latency', ms: slow.integer(1, 6), jitterMs: 4 })
    for (const name of house.links.matching(/→smtp$/)) await house.links.at(name).set({ kind: 'latency', ms: 5 })
    await using load = await startLoad(house, { random, administrators: 6, people: 4, pauseMs: 5 })
    const restarts = new Set<Promise<void>>()
    const turns = [...house.replicas]
    for (let kills = 0; kills < effort.faults; kills++) {
      // Spread over the operations, at a moment that has nothing to do with them.
      await within(5_000, () => load.operations >= (kills * effort.operations) / effort.faults)
      await delay(random.integer(50, 500))
      // Everybody has their turn; the other one of its kind may be down already, and then the service is away for a moment.
      const victim = turns.splice(random.integer(0, turns.length - 1), 1)[0]
      if (turns.length === 0) turns.push(...house.replicas)
      if (!victim?.isUp) continue
      // One that is still starting dies on its way.
      await victim.kill()
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
