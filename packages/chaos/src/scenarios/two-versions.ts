import { setTimeout as delay } from 'node:timers/promises'
import { serviceNames } from '@gatehouse/local'
import { startDeploymentLoad } from '../deployment-load.ts'
import { failedCalls } from '../failed-calls.ts'
import { gather } from '../followers/audience.ts'
import { previousRelease, treeOf } from '../previous-release.ts'
import { restartAll } from '../restart-all.ts'
import type { Effort, Scenario } from '../scenario.ts'
import { scratchTree } from '../scratch-tree.ts'
import { settle } from '../settle.ts'

/** Begins as the release before, becomes this one, the one before again and this one after all, without anybody noticing. */
export const twoVersions: Scenario = {
  name: 'two-versions',
  faults:
    'the release before and this one side by side: schema first, code after it; a replica of the new code that comes too early; the way back, and forward again',
  promise: 'old code serves on the new schema, new code waits for it, both serve side by side, no call fails and no stream misses anything',
  async house(parts, say) {
    const release = previousRelease()
    if (release) say(`the release before is ${release.name} (${release.commit.slice(0, 10)})`)
    else say('this clone does not have the release before (a shallow one? "git fetch --unshallow" brings it): both versions are this one')
    const { folder } = parts.use(await (release ? treeOf(release) : scratchTree([])))
    return { codeOf: folder, schemaOf: folder }
  },
  async run(house, { random, effort }) {
    const old = house.replicas[0]?.tree
    // The release before does not know WatchUsers yet.
    await using audience = await gather(house, random.fork('audience'), { users: false })
    const begun = house.history.operations.length
    await using load = await startDeploymentLoad(house, random, audience)
    const early = house.of('user')[1]
    await early?.term()
    if (early) early.tree = undefined
    const starting = early?.start()
    // Without a change of the schema it is ready soon, with one it waits; nobody notices either.
    await delay(1_000)
    for (const service of serviceNames) {
      house.history.fault(`migrate ${service} under load`)
      await house.gatehouse(service, ['migrate', service])
    }
    await starting
    // It ends on the new code: what that alone handles waits for it meanwhile, an hour at least.
    for (let way = 0; way < waysOf(effort, house.replicas.length); way++) {
      for (const replica of house.replicas) replica.tree = way % 2 === 0 ? undefined : old
      await restartAll(house, random.fork(`way ${way}`))
    }
    await load.stop()
    await settle(house)
    return [...failedCalls(house.history.operations.slice(begun)), ...(await audience.verdict())]
  },
}

/** How often all replicas change their code: forward only, or back and forward again until there were faults enough. */
function waysOf({ name, faults }: Effort, replicas: number): number {
  return name === 'smoke' ? 1 : 1 + 2 * Math.ceil((faults / replicas - 1) / 2)
}
