import { join } from 'node:path'
import { freePort, makeStreams, type NatsClusterPlace, type NatsServer, type NatsUser, startNats } from '@gatehouse/testkit'

/** One nats-server, through all its lives; its port stays the same. */
export class BrokerNode {
  readonly name: string
  readonly place: NatsClusterPlace | undefined
  readonly #start: (port: number) => Promise<NatsServer>
  #server: NatsServer | undefined
  #port = 0

  constructor(name: string, place: NatsClusterPlace | undefined, start: (port: number) => Promise<NatsServer>) {
    this.name = name
    this.place = place
    this.#start = start
  }

  get port(): number {
    return this.#port
  }

  get isUp(): boolean {
    return this.#server !== undefined
  }

  async start(): Promise<void> {
    this.#server ??= await this.#start(this.#port)
    this.#port = this.#server.port
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.stop()
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    process.kill(server.pid, 'SIGKILL')
    await server.exited
  }

  /** What it knows by its monitoring; undefined while it does not answer. */
  async ask(path: string): Promise<Response | undefined> {
    if (!this.place || !this.isUp) return undefined
    return await fetch(`http://127.0.0.1:${this.place.monitorPort}/${path}`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
  }
}

/** The broker of a house: one server, or several as a cluster. */
export class Brokers implements AsyncDisposable {
  readonly nodes: readonly BrokerNode[]

  private constructor(nodes: readonly BrokerNode[]) {
    this.nodes = nodes
  }

  static async start(folder: string, users: readonly NatsUser[], { count, copies }: { count: number; copies: number }): Promise<Brokers> {
    const places = count === 1 ? [undefined] : await placesOf(count)
    const nodes = places.map((place, i) => {
      const storeDir = place === undefined ? folder : join(folder, place.server)
      return new BrokerNode(`nats.${i}`, place, (port) =>
        startNats({ storeDir, users, port, streams: !place, ...(place && { cluster: place }) }),
      )
    })
    const brokers = new Brokers(nodes)
    await brokers.startAll()
    if (count > 1) await makeStreams(nodes[0]?.port ?? 0, users, copies)
    return brokers
  }

  get urls(): string[] {
    return this.nodes.map(({ port }) => `nats://127.0.0.1:${port}`)
  }

  /** Those of the dead that there are. */
  async startAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  /** Whether every server runs and has caught up with what the others hold; true of one that is alone. */
  async isWhole(): Promise<boolean> {
    if (this.nodes.length === 1) return this.nodes.every(({ isUp }) => isUp)
    const healths = await Promise.all(this.nodes.map((node) => node.ask('healthz')))
    return healths.every((health) => health?.ok === true)
  }

  /** Who leads what streams and consumers are agreed upon by; undefined while nobody does. */
  async metaLeader(): Promise<BrokerNode | undefined> {
    for (const node of this.nodes) {
      const answer = await node.ask('jsz')
      const { meta_cluster: meta } = ((await answer?.json()) ?? {}) as { meta_cluster?: { leader?: string } }
      const leader = this.named(meta?.leader)
      if (leader) return leader
    }
    return undefined
  }

  /** By the name under which JetStream knows it. */
  named(server: string | undefined): BrokerNode | undefined {
    return this.nodes.find(({ place }) => place !== undefined && place.server === server)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stopAll()
  }
}

async function placesOf(count: number): Promise<NatsClusterPlace[]> {
  const free = new Set<number>()
  while (free.size < 2 * count) free.add(await freePort())
  const all = [...free]
  const ports = all.slice(0, count)
  return ports.map((port, i) => ({ cluster: 'gatehouse', server: `gatehouse-${i}`, port, ports, monitorPort: all[count + i] ?? 0 }))
}
