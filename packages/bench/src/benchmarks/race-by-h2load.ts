import type { Bench } from '../benchmark.ts'
import { cores } from '../child.ts'
import { h2load, hasH2load } from '../load/h2load.ts'
import { alternate } from '../rounds.ts'
import { spreadOf } from '../statistics.ts'
import type { Side } from '../turn.ts'

// In less a busy machine may not see one call to its end.
const shortestSeconds = 0.3

/** What a server counted by itself. */
export interface ServerCount {
  /** Echoes that its handler made. */
  readonly served: number
  /** Calls that it refused or failed; of those that the client cut off at the end of its turn there are some. */
  readonly errors: number
}

/** A side whose server is asked what it counted: h2load sees no `grpc-status`. */
export interface CountedSide extends Side {
  readonly count: () => Promise<ServerCount>
}

/** Calls a second as h2load sees them, round by round; undefined where it is not installed. The sides are warm already. */
export async function raceByH2load<Name extends string>(
  bench: Bench,
  sides: Readonly<Record<Name, CountedSide>>,
): Promise<Record<Name, number[]> | undefined> {
  if (!hasH2load) return undefined
  const { effort } = bench
  const turns = Object.fromEntries(
    Object.entries<CountedSide>(sides).map(([name, side]) => [name, (seconds: number) => takeTurn(name, side, seconds)]),
  ) as Record<Name, (seconds: number) => Promise<number>>
  const results = await alternate({ ...effort, rounds: Math.ceil(effort.rounds / 2), warmUpSeconds: shortestSeconds }, turns)
  for (const [name, rounds] of Object.entries<number[]>(results)) bench.say(`  ${name}, by h2load: ${spreadOf(rounds).median.toFixed(0)}/s`)
  return results
}

async function takeTurn(name: string, side: CountedSide, seconds: number): Promise<number> {
  const before = await side.count()
  const { calls, perSecond } = await h2load({ ...(await side.order()), seconds }, side.protocol, cores.client)
  const after = await side.count()
  const [served, errors] = [after.served - before.served, after.errors - before.errors]
  if (served < calls || errors > 0) throw new Error(`h2load saw ${calls} answers of ${name}, which served ${served} and failed ${errors}`)
  return perSecond
}
