import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Carrier, carry } from './carry.ts'
import { type Direction, type Fault, holds } from './fault.ts'
import { reset } from './reset.ts'

export type Target = { readonly host: string; readonly port: number }

export type FaultProxyOptions = {
  /** Where connections go, asked for each: of several, round the ones that answer, as behind the one port of a service with replicas. */
  readonly targets: Target | (() => readonly Target[])
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** For jitter; in [0, 1). */
  readonly random?: () => number
}

/** Bytes as they are handed on. Connections are numbered from one. */
export type Passage = { readonly connection: number; readonly direction: Direction; readonly bytes: Buffer }

/** A port on 127.0.0.1 that stands before another one, and the bad days of the way between them. */
export type FaultProxy = AsyncDisposable & {
  readonly port: number
  /** Puts a fault into force for new and open connections, or takes it away; settles when it is. */
  readonly set: (fault?: Fault) => Promise<void>
  readonly fault: Fault | undefined
  /** Ends every open connection with RST, on both sides. */
  readonly cut: () => void
  /** Shows what passes from now on to one onlooker; without one, to nobody. */
  readonly watch: (see?: (passage: Passage) => void) => void
  /** Since the start; `open` are those of now. */
  readonly usage: { readonly connections: number; readonly open: number; readonly bytesUp: number; readonly bytesDown: number }
}

/** Starts a proxy without a fault. Its port stays the same for its whole life, also across a time in which nobody listens. */
export async function startFaultProxy({ targets, port = 0, random = Math.random }: FaultProxyOptions): Promise<FaultProxy> {
  const targetsNow = typeof targets === 'function' ? targets : () => [targets]
  const links = new Set<Link>()
  const usage = { connections: 0, open: 0, bytesUp: 0, bytesDown: 0 }
  let fault: Fault | undefined
  let watcher: ((passage: Passage) => void) | undefined
  let turn = 0

  const accept = (client: Socket): void => {
    usage.connections++
    usage.open = links.size + 1
    const link: Link = { number: usage.connections, client, carriers: [] }
    links.add(link)
    client.setNoDelay().on('error', () => undefined)
    client.on('close', () => left(link))
    if (fault?.kind === 'reset') reset(client)
    else if (!holds(fault, 'up')) reach(link)
  }

  /** Of a connection that a fault holds the target may not know yet that the client is gone. */
  const left = (link: Link): void => {
    if (!link.client.closed || link.target?.closed === false) return
    links.delete(link)
    usage.open = links.size
  }

  /** A connection that nothing gets through to its target has none: the target does not know of it. */
  const reach = (link: Link): void => {
    if (link.target || link.client.destroyed) return
    const all = targetsNow()
    const first = turn++
    const next = (tried: number): void => {
      const to = all[(first + tried) % all.length]
      if (to === undefined || tried === all.length) return void reset(link.client)
      const target = connect({ ...to, allowHalfOpen: true })
      link.target = target
      let reached = false
      target.setNoDelay().on('error', () => {
        if (!reached && !link.client.destroyed) next(tried + 1)
      })
      target.on('close', () => left(link))
      target.once('connect', () => {
        reached = true
        join(link, target)
      })
    }
    next(0)
  }

  const join = (link: Link, target: Socket): void => {
    const { client } = link
    if (client.destroyed) return void reset(target)
    const now = { fault: () => fault, random }
    const carried = (direction: Direction) => (bytes: Buffer) => {
      usage[direction === 'up' ? 'bytesUp' : 'bytesDown'] += bytes.length
      watcher?.({ connection: link.number, direction, bytes })
    }
    link.carriers = [
      carry({ ...now, from: client, to: target, direction: 'up', carried: carried('up') }),
      carry({ ...now, from: target, to: client, direction: 'down', carried: carried('down') }),
    ]
  }

  const cut = (): void => {
    for (const { client, target } of links) for (const socket of [client, target]) if (socket) reset(socket)
  }

  let server: Server | undefined = await listen(port, accept)
  const bound = (server.address() as AddressInfo).port
  const set = async (given?: Fault): Promise<void> => {
    fault = given
    if (given?.kind === 'reset') cut()
    if (given?.kind === 'refuse') {
      server?.close()
      server = undefined
    } else server ??= await listen(bound, accept)
    for (const link of links) {
      for (const carrier of link.carriers) carrier.changed()
      if (!holds(given, 'up')) reach(link)
    }
  }
  return {
    port: bound,
    set,
    get fault() {
      return fault
    },
    cut,
    usage,
    watch(see) {
      watcher = see
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
      cut()
      await closed
    },
  }
}

type Link = { readonly number: number; readonly client: Socket; target?: Socket; carriers: readonly Carrier[] }

/** A port that was given up for a while may be another program's for a moment: an outgoing connection can have it. */
async function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  for (const end = performance.now() + 10_000; ; await delay(20)) {
    const server = createServer({ allowHalfOpen: true }, accept)
    const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve)
      server.listen(port, '127.0.0.1', () => resolve(undefined))
    })
    if (problem === undefined) return server
    if (problem.code !== 'EADDRINUSE' || port === 0 || performance.now() > end) throw problem
  }
}
