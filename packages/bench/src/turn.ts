import type { Child, Usage } from './child.ts'
import type { LoadOrder, LoadResult } from './load/closed-loop.ts'
import type { LoadClientActs } from './programs/load-client.ts'

/** One side's turn: what the client saw, and what the server spent on it. */
export interface Turn extends LoadResult {
  /** Processor time of the server for one call. */
  readonly cpuMicros: number
  /** Share of its core that the server used. */
  readonly busy: number
}

/** Where a side's calls go. */
export interface Side {
  readonly protocol: 'grpc' | 'http'
  /** Asked for each turn: tokens run out. */
  readonly order: () => Promise<Omit<LoadOrder, 'seconds'>>
  /** Processor seconds that the server has used so far. */
  readonly cpuSeconds: () => Promise<number>
  /** What has to happen after a turn, before the next side has its own. */
  readonly after?: (result: LoadResult) => Promise<void>
}

/** Has the client call one side for a while. */
export async function takeTurn(client: Child<LoadClientActs>, side: Side, seconds: number): Promise<Turn> {
  const order = await side.order()
  const before = await side.cpuSeconds()
  const result = await client.call(side.protocol, { ...order, seconds })
  const spent = (await side.cpuSeconds()) - before
  await side.after?.(result)
  return { ...result, cpuMicros: (spent / result.calls) * 1e6, busy: spent / seconds }
}

/** Processor seconds of one of our own programs. */
export function cpuOf(child: Child<{ usage(): Promise<Usage> }>): () => Promise<number> {
  return async () => (await child.call('usage')).cpuSeconds
}
