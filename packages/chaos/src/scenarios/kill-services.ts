import { setTimeout as delay } from 'node:timers/promises'
import { startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'

/** Each service is killed again and again, in the middle of whatever it does. */
export const killServices: Scenario = {
  name: 'kill-services',
  faults: '`kill -9` of each service at random points during sign-ups, updates and refreshes',
  promise:
    'each acknowledged write has its row and its events once in effect, each unacknowledged one has all or nothing, and a retry with the same request_id gives one result',
  async run(house, { random, effort }) {
    await using load = await startLoad(house, { random, administrators: 3, people: 3, pauseMs: 10 })
    const restarts = new Set<Promise<void>>()
    // A slow database makes the moments between two statements long enough to die in.
    const slow = random.fork('slow links')
    for (let kills = 0; kills < effort.faults || load.operations < effort.operations; kills++) {
      await delay(random.integer(50, 600))
      const up = house.replicas.filter(({ ports }) => ports !== undefined)
      const victim = random.pick(house.replicas)
      if (slow.percent(40)) await house.links.set(`${victim.name}→postgres`, { kind: 'latency', ms: slow.integer(2, 25) })
      await delay(random.integer(0, 150))
      // The other one of its kind may be down already: then the service is away for a moment, which is a bad day too.
      if (!up.includes(victim)) continue
      await victim.kill()
      await house.links.at(`${victim.name}→postgres`).set()
      const restart = delay(random.integer(0, 300)).then(() => victim.start())
      restarts.add(restart)
      void restart.then(() => restarts.delete(restart))
    }
    await Promise.all(restarts)
    await load.stop()
    return []
  },
}
