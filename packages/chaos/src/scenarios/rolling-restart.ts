import { startDeploymentLoad } from '../deployment-load.ts'
import { failedCalls } from '../failed-calls.ts'
import { gather } from '../followers/audience.ts'
import { restartAll } from '../restart-all.ts'
import type { Scenario } from '../scenario.ts'
import { settle } from '../settle.ts'

/** Every replica is asked to end and is started again, one after the other, as a deployment does it. */
export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  faults: 'SIGTERM of each replica under load, one after the other, until all are new',
  promise: 'no call of a client with the standard retry policy fails, and streams resume at their cursor with nothing missed or told twice',
  async run(house, { random, effort }) {
    await using audience = await gather(house, random.fork('audience'))
    const begun = house.history.operations.length
    await using load = await startDeploymentLoad(house, random, audience)
    const rounds = Math.max(1, Math.round(effort.faults / house.replicas.length))
    for (let round = 0; round < rounds; round++) await restartAll(house, random, effort.name === 'smoke' ? 1 : undefined)
    await load.stop()
    await settle(house)
    return [...failedCalls(house.history.operations.slice(begun)), ...(await audience.verdict())]
  },
}
