import { type ChannelOptions, experimental } from '@grpc/grpc-js'

type Resolver = experimental.Resolver
type Listener = experimental.ResolverListener
type GrpcUri = experimental.GrpcUri

const scheme = 'fresh-dns'
/** A new replica is found after so long at the most, and what its name's servers take to know of it. */
const refreshMs = 10_000
/** A name that is not there is asked for sooner: nothing else would make the channel ask again. */
const missingMs = 2_000

/**
 * gRPC's own resolver of names, which is asked again while everything works too. By itself a channel looks at a name only when a connection ends, so that a
 * replica that is new gets nothing until another one goes.
 */
class FreshNames implements Resolver {
  readonly #names: Resolver
  #timer: NodeJS.Timeout | undefined
  /** By the channel, which wants an answer though it may be the one that it has. */
  #asked = true
  #known = ''

  constructor(target: GrpcUri, listener: Listener, options: ChannelOptions) {
    const told: Listener = (endpoints, ...more) => {
      this.#refreshIn(endpoints.ok ? refreshMs : missingMs)
      const found = endpoints.ok ? endpoints.value.flatMap(({ addresses }) => addresses.map((address) => JSON.stringify(address))) : []
      const known = found.sort().join()
      // A list that is told makes the channel begin its round anew, for nothing where it is the same. What is not found is kept as it was.
      const isNews = this.#asked || (endpoints.ok && known !== this.#known)
      if (endpoints.ok) this.#known = known
      this.#asked = false
      return isNews ? listener(endpoints, ...more) : true
    }
    this.#names = experimental.createResolver({ ...target, scheme: 'dns' }, told, options)
  }

  updateResolution(): void {
    this.#asked = true
    this.#names.updateResolution()
  }

  destroy(): void {
    clearTimeout(this.#timer)
    this.#known = ''
    this.#names.destroy()
  }

  #refreshIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#names.updateResolution(), ms)
    this.#timer.unref()
  }

  static getDefaultAuthority({ path }: GrpcUri): string {
    return path
  }
}

experimental.registerResolver(scheme, FreshNames)

/** The gRPC name by which a channel asks for a name again and again; what is not a name (`ipv4:`, `unix:`, an address) stays as it is. */
export function freshName(url: string): string {
  const [, named] = /^dns:(.+)$/.exec(url) ?? []
  if (named !== undefined) return `${scheme}:${named}`
  return /^(ipv4|ipv6|unix|unix-abstract|xds):/.test(url) || /^(\[.*\]|[\d.]+)(:\d+)?$/.test(url) ? url : `${scheme}:///${url}`
}
