import type { Bench } from '../benchmark.ts'
import { type Child, cores, startChild } from '../child.ts'
import type { LoadClientActs } from '../programs/load-client.ts'
import { alternate } from '../rounds.ts'
import { spreadOf } from '../statistics.ts'
import { type Side, type Turn, takeTurn } from '../turn.ts'

/** Lets one client call the sides in turn and answers what happened in each round. */
export async function race<Name extends string>(bench: Bench, sides: Readonly<Record<Name, Side>>): Promise<Record<Name, Turn[]>> {
  await using client: Child<LoadClientActs> = await startChild<LoadClientActs>('load-client', cores.client)
  const turns = Object.fromEntries(
    Object.entries<Side>(sides).map(([name, side]) => [name, (seconds: number) => takeTurn(client, side, seconds)]),
  ) as Record<Name, (seconds: number) => Promise<Turn>>
  const results = await alternate(bench.effort, turns)
  for (const [name, rounds] of Object.entries<Turn[]>(results)) bench.say(`  ${name}: ${describe(rounds)}`)
  return results
}

/** One line about a side. */
export function describe(turns: readonly Turn[]): string {
  const middle = (of: (turn: Turn) => number, digits = 0) => spreadOf(turns.map(of)).median.toFixed(digits)
  return `${middle((turn) => turn.perSecond)}/s, p50 ${middle((turn) => turn.p50Ms, 2)} ms, ${middle((turn) => turn.cpuMicros, 1)} µs of processor a call, ${middle((turn) => turn.busy * 100)} % of a core`
}

/** What the conditions say about the servers' processor. */
export function processorOf(ours: readonly Turn[], theirs: readonly Turn[]): Record<string, number> {
  const middle = (turns: readonly Turn[], of: (turn: Turn) => number) => Number(spreadOf(turns.map(of)).median.toPrecision(3))
  return {
    cpu_micros_a_call: middle(ours, (turn) => turn.cpuMicros),
    peer_cpu_micros_a_call: middle(theirs, (turn) => turn.cpuMicros),
    busy: middle(ours, (turn) => turn.busy),
    peer_busy: middle(theirs, (turn) => turn.busy),
  }
}
