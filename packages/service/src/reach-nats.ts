import { connectNats, type Nats } from '@gatehouse/events'
import { placeOf } from './command-parts.ts'

/** A broker that answered. */
export interface ReachedNats extends AsyncDisposable {
  readonly nats: Nats
}

/** The broker does not answer, or lets nobody in: `message` says where and why. */
export class NatsAway extends Error {
  override readonly name = 'NatsAway'
}

/** Longer than the connection itself waits for a broker that is frozen. */
const patienceMs = 5000

/** Connects for a command: what the first attempt says is told, and not tried for ever. Throws {@link NatsAway}. */
export async function reachNats(url: string, name: string): Promise<ReachedNats> {
  let problem: unknown
  const refused = new AbortController()
  const log = {
    info() {},
    error() {},
    warn(fields: object) {
      if (!('err' in fields)) return
      problem = fields.err
      refused.abort()
    },
  }
  const nats = connectNats({ url, name, log })
  try {
    await nats.connected(AbortSignal.any([refused.signal, AbortSignal.timeout(patienceMs)]))
    return { nats, [Symbol.asyncDispose]: () => nats[Symbol.asyncDispose]() }
  } catch {
    await nats[Symbol.asyncDispose]()
    const why = problem instanceof Error ? problem.message : 'it does not answer'
    throw new NatsAway(`NATS at ${placeOf(url)} cannot be reached: ${why}`)
  }
}
