import { once } from 'node:events'
import { connect } from 'node:net'

const patienceMs = 3000

/**
 * Settles when one of the servers greets, as NATS does before anything is said to it. A server that is frozen takes connections and says nothing, and the
 * client would wait for its greeting for ever. Who is not there at all is left to the client's own words.
 * @throws Error when nobody greets within three seconds, or the signal's reason.
 */
export async function greeting(servers: readonly URL[], signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const speaks = async ({ hostname, port }: URL): Promise<boolean> => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 4222) })
    try {
      await once(socket, 'data', { signal: patience })
      return true
    } catch {
      return !patience.aborted
    } finally {
      socket.destroy()
    }
  }
  const all = await Promise.all(servers.map(speaks))
  signal.throwIfAborted()
  if (!all.includes(true)) throw new Error('it takes connections and does not answer')
}
