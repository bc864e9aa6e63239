import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect, type NatsConnection, usernamePasswordAuthenticator } from '@nats-io/transport-node'
import { ackInboxIn } from './ack-inbox.ts'
import { greeting } from './greeting.ts'
import { type Log, silent } from './log.ts'
import { inboxPrefixOf } from './nats-names.ts'

export type NatsOptions = {
  /** `nats://user:password@host:port`, or `tls://…`; several servers of one cluster separated by commas. A function is asked for user and password of each new connection. */
  readonly url: string | (() => string)
  /** Seen in the server's list of connections. */
  readonly name: string
  readonly log?: Log
}

/** A connection that is kept up in the background for as long as it is not disposed. */
export type Nats = AsyncDisposable & {
  /** The connection while it is up, else undefined. */
  readonly current: () => NatsConnection | undefined
  /** Resolves with the next connection that is up. Rejects with the signal's reason. */
  readonly connected: (signal?: AbortSignal) => Promise<NatsConnection>
  /** Calls back on every connection and reconnection; gives the function that ends it. */
  readonly onConnect: (listener: (connection: NatsConnection) => void) => () => void
}

const maxWaitMs = 1000

/** Connects in the background, for ever: starting does not fail when NATS is down, and nothing waits for it. */
export function connectNats({ url, name, log = silent }: NatsOptions): Nats {
  const stop = new AbortController()
  const events = new EventEmitter<{ up: [NatsConnection] }>().setMaxListeners(100)
  let up: NatsConnection | undefined
  const rise = (connection: NatsConnection): void => {
    up = connection
    log.info({ server: connection.getServer() }, 'connected to NATS')
    events.emit('up', connection)
  }
  const fall = (): void => {
    if (up !== undefined && !stop.signal.aborted) log.warn({}, 'lost NATS, trying on')
    up = undefined
  }

  const keepUp = async (): Promise<void> => {
    const latest = typeof url === 'string' ? () => url : url
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      try {
        const options = connectionOptions(latest, name)
        await greeting(serversOf(latest()), stop.signal)
        await using connection = disposable(await connect(options))
        attempt = 0
        if (stop.signal.aborted) return
        ackInboxIn(connection.nc, options.inboxPrefix)
        rise(connection.nc)
        void watchStatus(connection.nc, rise, fall)
        await Promise.race([connection.nc.closed(), aborted(stop.signal)])
        fall()
      } catch (error) {
        fall()
        if (attempt === 0 && !stop.signal.aborted) log.warn({ err: error }, 'NATS cannot be reached, trying on')
      }
      await delay(Math.min(maxWaitMs, 50 * 2 ** attempt), undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const kept = keepUp()

  return {
    current: () => up,
    async connected(signal) {
      if (up !== undefined) return up
      const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
      const [connection] = await once(events, 'up', { signal: either })
      return connection as NatsConnection
    },
    onConnect(listener) {
      events.on('up', listener)
      return () => void events.off('up', listener)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await kept
    },
  }
}

const serversOf = (url: string): URL[] => url.split(',').map((one) => new URL(one))

function connectionOptions(latest: () => string, name: string): ConnectionOptions {
  const servers = serversOf(latest())
  const { username } = loginIn(latest())
  return {
    servers: servers.map(({ host }) => host),
    name,
    // Asked anew each time that the connection is made anew, as it is when the password was changed on the server.
    ...(username !== '' && {
      authenticator: usernamePasswordAuthenticator(
        () => loginIn(latest()).username,
        () => loginIn(latest()).password,
      ),
    }),
    ...inboxOf(username),
    ...(servers.some(({ protocol }) => protocol === 'tls:') && { tls: {} }),
    timeout: 2000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    // A password that is changed on the server first comes to us later.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
  }
}

function loginIn(url: string): { readonly username: string; readonly password: string } {
  const { username, password } = serversOf(url)[0] ?? new URL('nats://invalid')
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) }
}

// A name of other letters is none of those that the rights are written for.
const inboxOf = (user: string) => (/^[\w-]+$/.test(user) ? { inboxPrefix: inboxPrefixOf(user) } : {})

async function watchStatus(connection: NatsConnection, rise: (connection: NatsConnection) => void, fall: () => void): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect' || type === 'staleConnection') fall()
    if (type === 'reconnect') rise(connection)
  }
}

const disposable = (nc: NatsConnection): AsyncDisposable & { nc: NatsConnection } => ({ nc, [Symbol.asyncDispose]: () => nc.close() })

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
