import type { Constellation } from './constellation.ts'
import type { Audience } from './followers/audience.ts'
import { type Load, startLoad } from './load.ts'
import type { Random } from './random.ts'

/** Nobody waits so long, unless the machine has no time for anybody: a call that a restart made fail has failed before. */
const timeoutMs = 20_000

/** What goes on while replicas come and go, in which no call may fail: nobody gives up, and the audience has something to read. */
export function startDeploymentLoad(house: Constellation, random: Random, audience: Pick<Audience, 'worker'>): Promise<Load> {
  return startLoad(house, {
    random,
    administrators: 3,
    people: 1,
    refreshers: 1,
    pauseMs: 20,
    timeoutMs,
    givesUpPercent: 0,
    more: [audience.worker],
  })
}
