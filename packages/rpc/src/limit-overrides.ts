import { type CallOptions, Code, ConnectError } from '@connectrpc/connect'
import type { LimitsOfTenant, WatchLimitsResponse } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { pause } from '@gatehouse/identity'
import { metrics } from '@opentelemetry/api'

/** A limit that a tenant set in the place of the contract's. */
export interface SetLimit {
  readonly count: number
  readonly windowSeconds: number
}

/** What tenants set; where nothing is known of one, the contract holds. */
export interface LimitOverrides {
  /** `limit` is `<full name of the service>/<RPC>#<index in the contract>`. */
  of(tenant: string, limit: string): SetLimit | undefined
}

/** A {@link LimitOverrides} that follows auth. */
export interface LimitFollower extends LimitOverrides, AsyncDisposable {
  /** Whether auth is telling at this moment. */
  readonly connected: boolean
}

/** The part of a `PolicyService` client that is needed. */
export interface LimitSource {
  watchLimits(request: { cursor: string }, options?: CallOptions): AsyncIterable<WatchLimitsResponse>
}

/** Keeps the newest that was told of each tenant. */
export function createLimitOverrides(): LimitOverrides & { put(told: Pick<LimitsOfTenant, 'tenant' | 'version' | 'overrides'>): void } {
  const tenants = new Map<string, { readonly version: bigint; readonly limits: ReadonlyMap<string, SetLimit> }>()
  return {
    of: (tenant, limit) => tenants.get(tenant)?.limits.get(limit),
    put({ tenant, version, overrides }) {
      if ((tenants.get(tenant)?.version ?? -1n) >= version) return
      const limits = overrides.map(({ rpc, index, count, window }) => {
        return [`${rpc}#${index}`, { count, windowSeconds: Number(window?.seconds ?? 0n) }] as const
      })
      tenants.set(tenant, { version, limits: new Map(limits) })
    },
  }
}

const silenceMs = 15_000
/** An auth of the release before does not serve it: it is asked again when it may have been replaced. */
const unservedMs = 5_000

/**
 * Follows `PolicyService.WatchLimits` and comes again by itself after a break, from the last cursor, and after more than fifteen seconds of silence. While
 * auth is away what it told last goes on; until it told anything, the contract.
 * @param onChange Told when following breaks (with the error) and when it works again.
 */
export function followLimits(source: LimitSource, onChange?: (error: unknown) => void): LimitFollower {
  const overrides = createLimitOverrides()
  const stop = new AbortController()
  let connected = false
  let told = false
  let cursor = ''
  // Not asked for when the module is loaded: until telemetry has started, a meter measures nothing.
  const gauge = metrics.getMeter('@gatehouse/rpc').createObservableGauge('gatehouse.limits.connected', {
    description: '1 while auth tells which limits tenants set',
  })
  const observe = (result: { observe(value: number): void }) => result.observe(connected ? 1 : 0)
  gauge.addCallback(observe)

  /** Answers how long to wait before it is tried again. */
  async function followOnce(): Promise<number> {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(new Error('silence')), silenceMs)
    try {
      for await (const message of source.watchLimits({ cursor }, { signal: AbortSignal.any([stop.signal, silent.signal]) })) {
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(new Error('silence')), silenceMs)
        for (const tenant of message.tenants) overrides.put(tenant)
        if (message.cursor !== '') cursor = message.cursor
        if (!connected && told) onChange?.(undefined)
        connected = true
        told = false
      }
    } catch (error) {
      if (!stop.signal.aborted && !told) onChange?.(error)
      told = true
      if (ConnectError.from(error).code === Code.Unimplemented) return unservedMs
    } finally {
      clearTimeout(timer)
      connected = false
    }
    return 100 + Math.random() * 200
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      await pause(await followOnce(), stop.signal)
    }
  })()

  return {
    of: overrides.of,
    get connected() {
      return connected
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      gauge.removeCallback(observe)
      await run
    },
  }
}
