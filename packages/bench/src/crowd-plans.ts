import { somebody } from './crowd.ts'
import type { CrowdHome } from './crowd-home.ts'
import { type Distribution, draw } from './draw.ts'
import type { CrowdCalls } from './load/crowd-calls.ts'

/** Whom the calls of one distribution ask for, each time others. */
export interface Series {
  next(rpc: CrowdCalls['rpc'], count: number): CrowdCalls
  emails(count: number): readonly string[]
}

/** Draws `count` people, and the pages of a tenth of them. */
export async function seriesFor(home: CrowdHome, distribution: Distribution, count: number): Promise<Series> {
  const numbers = draw(distribution, home.people, count)
  const drawn = numbers.slice(0, Math.ceil(count / 10))
  const created = await home.timesOf(drawn)
  const timeOf = new Map(drawn.map((number, at) => [number, created[at] ?? new Date(0)]))
  // Behind the very last there is no page.
  const last = [...timeOf].reduce((latest, each) => (isBehind(each, latest) ? each : latest))[0]
  const pages = drawn.filter((number) => number !== last)
  const taken = new Map<string, number>()
  const take = (what: string, wanted: number, of: readonly number[]): readonly number[] => {
    const from = taken.get(what) ?? 0
    taken.set(what, from + wanted)
    return Array.from({ length: wanted }, (_, offset) => of[(from + offset) % of.length] ?? 0)
  }
  return {
    next(rpc, wanted) {
      if (rpc !== 'ListUsers') return { rpc, numbers: take(rpc, wanted, numbers) }
      const behind = take(rpc, wanted, pages)
      return { rpc, numbers: behind, times: behind.map((number) => timeOf.get(number) ?? new Date(0)) }
    },
    emails: (wanted) => take('emails', wanted, numbers).map((number) => somebody(number).email),
  }
}

/** Whether one stands behind another in the order of a list. */
function isBehind([number, time]: readonly [number, Date], [other, otherTime]: readonly [number, Date]): boolean {
  return time.getTime() === otherTime.getTime() ? number > other : time > otherTime
}
