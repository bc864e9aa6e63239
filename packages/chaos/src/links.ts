import type { ServiceName } from '@gatehouse/local'
import { type Fault, type FaultProxy, startFaultProxy } from '@gatehouse/testkit'
import type { Random } from './random.ts'
import type { Replica } from './replica.ts'

/** Who calls whom over gRPC. */
const peersOf: Readonly<Record<ServiceName | 'client', readonly ServiceName[]>> = {
  user: ['auth'],
  auth: ['user'],
  notification: ['user', 'auth'],
  client: ['user', 'auth', 'notification'],
}

export interface LinksOptions {
  readonly replicas: readonly Replica[]
  /** Ports of the servers, which may change with a restart. */
  readonly servers: () => { readonly postgres: number; readonly nats: readonly number[]; readonly smtp: number }
  readonly random: Random
  readonly onFault: (fault: string) => void
}

/** What the servers of a broker are called: `nats` where there is one, `nats.0` and so on in a cluster. */
export const natsNames = (count: number): string[] => (count === 1 ? ['nats'] : Array.from({ length: count }, (_, i) => `nats.${i}`))

/**
 * Every way between two programs of the house, each through a fault proxy of its own. Their names say between whom: `user.0→postgres`, `auth.1→nats` (of a cluster `auth.1→nats.2`),
 * `notification.0→smtp`, `auth→user.1` (all replicas of auth to one of user), `client→user.0`, and `web→auth`, behind which all replicas of a web door stand.
 */
export class Links implements AsyncDisposable {
  readonly #proxies = new Map<string, FaultProxy>()
  readonly #onFault: (fault: string) => void

  private constructor(onFault: (fault: string) => void) {
    this.#onFault = onFault
  }

  static async open({ replicas, servers, random, onFault }: LinksOptions): Promise<Links> {
    const links = new Links(onFault)
    const add = async (name: string, ports: () => readonly (number | undefined)[]) => {
      const draw = random.fork(name)
      const proxy = await startFaultProxy({
        targets: () => ports().flatMap((port) => (port === undefined ? [] : [{ host: '127.0.0.1', port }])),
        random: () => draw.integer(0, 999_999) / 1_000_000,
      })
      links.#proxies.set(name, proxy)
    }
    const services = [...new Set(replicas.map(({ service }) => service))]
    await Promise.all([
      ...replicas.flatMap((replica) => [
        add(`${replica.name}→postgres`, () => [servers().postgres]),
        ...natsNames(servers().nats.length).map((nats, i) => add(`${replica.name}→${nats}`, () => [servers().nats[i]])),
        ...(replica.service === 'notification' ? [add(`${replica.name}→smtp`, () => [servers().smtp])] : []),
      ]),
      ...Object.entries(peersOf).flatMap(([from, targets]) =>
        replicas
          .filter(({ service }) => targets.includes(service))
          .map((replica) => add(`${from}→${replica.name}`, () => [replica.ports?.grpc])),
      ),
      ...services.map((service) =>
        add(`web→${service}`, () => replicas.filter((each) => each.service === service && each.takesNew).map(({ ports }) => ports?.web)),
      ),
    ])
    return links
  }

  get names(): readonly string[] {
    return [...this.#proxies.keys()]
  }

  /** Throws for a link that there is not. */
  at(name: string): FaultProxy {
    const proxy = this.#proxies.get(name)
    if (!proxy) throw new TypeError(`there is no link ${name}; there are ${this.names.join(', ')}`)
    return proxy
  }

  /** Those whose name matches. */
  matching(pattern: RegExp): readonly string[] {
    return this.names.filter((name) => pattern.test(name))
  }

  /** The gRPC name of all replicas of a service as `from` reaches them: a channel goes round them. */
  urlOf(from: ServiceName | 'client', to: ServiceName): string {
    const hosts = this.matching(new RegExp(`^${from}→${to}\\.\\d+$`)).map((name) => `127.0.0.1:${this.at(name).port}`)
    return hosts.length === 1 ? (hosts[0] ?? '') : `ipv4:${hosts.join(',')}`
  }

  /** Puts a fault on a link until it is healed; told to the history. */
  async set(name: string, fault: Fault): Promise<void> {
    this.#onFault(`${fault.kind} on ${name}`)
    await this.at(name).set(fault)
  }

  /** Ends every open connection of a link. */
  cut(name: string): void {
    this.#onFault(`cut ${name}`)
    this.at(name).cut()
  }

  async heal(...names: readonly string[]): Promise<void> {
    await Promise.all((names.length === 0 ? this.names : names).map((name) => this.at(name).set()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()))
  }
}
