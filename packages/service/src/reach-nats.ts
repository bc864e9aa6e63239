import { once } from 'node:events'
import { connect } from 'node:net'
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

const patienceMs = 3000

/** Connects for a command: what the first attempt says is told, and not tried for ever. Throws {@link NatsAway}. */
export async function reachNats(url: string, name: string): Promise<ReachedNats> {
  await greeted(url)
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

// A server that is frozen takes connections and says nothing. The client would wait for its greeting for ever, and so would the command.
async function greeted(url: string): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs)
  const isGreeted = async (server: string): Promise<boolean> => {
    const { hostname, port } = new URL(server)
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 4222) })
    try {
      await once(socket, 'data', { signal })
      return true
    } catch (error) {
      // Who is not there at all is told in the client's words.
      return !signal.aborted || !(error instanceof Error && error.name === 'AbortError')
    } finally {
      socket.destroy()
    }
  }
  const all = await Promise.all(url.split(',').map(isGreeted))
  if (!all.includes(true)) throw new NatsAway(`NATS at ${placeOf(url)} cannot be reached: it takes connections and does not answer`)
}
