import type { CallOptions } from '@connectrpc/connect'
import type { WatchRevocationsResponse } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { metrics } from '@opentelemetry/api'
import { pause } from './pause.ts'

/** Sessions that ended or were raised, and of which older tokens may still be alive. */
export interface RevocationList {
  /** Whether the session has ended, or was raised since a token of this generation (0 unless given) was made. */
  isRevoked(sessionId: string, generation?: number): boolean
  /** Calls back whenever the session ends or is raised from now on; answers how to stop that. For streams that must end with their token. */
  onChange(sessionId: string, listener: () => void): () => void
  /** Calls back for each API key that is revoked or changed from now on; answers how to stop that. */
  onKeyChanged(listener: (keyId: string) => void): () => void
}

/** A {@link RevocationList} that follows auth. */
export interface RevocationFollower extends RevocationList, AsyncDisposable {
  /** Settles when everything that still matters was told, or after two seconds: a verifier serves on token lifetimes then. */
  readonly ready: Promise<void>
  /** Whether auth is telling at this moment. */
  readonly connected: boolean
}

/** The part of a `SessionService` client that is needed. */
export interface RevocationSource {
  watchRevocations(request: { cursor: string }, options?: CallOptions): AsyncIterable<WatchRevocationsResponse>
}

/** A list of revoked sessions that forgets what no token can need any more. */
export function createRevocationList(now: () => number = Date.now) {
  const forgetTimes = new Map<string, number>()
  const raised = new Map<string, { readonly generation: number; readonly forgetTime: number }>()
  const listeners = new Map<string, Set<() => void>>()
  const keyListeners = new Set<(keyId: string) => void>()
  let nextSweep = 0

  function sweep(): void {
    if (now() < nextSweep) return
    for (const [id, time] of forgetTimes) if (time < now()) forgetTimes.delete(id)
    for (const [id, { forgetTime }] of raised) if (forgetTime < now()) raised.delete(id)
    nextSweep = now() + 60_000
  }

  function tell(sessionId: string): void {
    for (const listener of [...(listeners.get(sessionId) ?? [])]) listener()
  }

  function add(sessionId: string, forgetTime: number): void {
    sweep()
    if (forgetTimes.has(sessionId)) return
    forgetTimes.set(sessionId, forgetTime)
    tell(sessionId)
  }

  return {
    add,
    /** The session goes on: its tokens of an earlier generation are dead. */
    raise(sessionId: string, generation: number, forgetTime: number): void {
      sweep()
      if ((raised.get(sessionId)?.generation ?? 0) >= generation) return
      raised.set(sessionId, { generation, forgetTime })
      tell(sessionId)
    },
    /** What is known of an API key is true no more. Nothing is kept: whoever remembers keys listens. */
    changeKey(keyId: string): void {
      for (const listener of keyListeners) listener(keyId)
    },
    isRevoked: (sessionId: string, generation = 0) =>
      forgetTimes.has(sessionId) || (raised.size > 0 && generation < (raised.get(sessionId)?.generation ?? 0)),
    onChange(sessionId: string, listener: () => void) {
      const told = listeners.get(sessionId) ?? new Set()
      listeners.set(sessionId, told.add(listener))
      return () => {
        told.delete(listener)
        if (told.size === 0 && listeners.get(sessionId) === told) listeners.delete(sessionId)
      }
    },
    onKeyChanged(listener: (keyId: string) => void) {
      keyListeners.add(listener)
      return () => {
        keyListeners.delete(listener)
      }
    },
  }
}

const silenceMs = 15_000

/**
 * Follows `SessionService.WatchRevocations`: a snapshot, then each revocation as it happens. Comes again by itself after a break, from the
 * last cursor, and after more than fifteen seconds of silence.
 * @param onChange Told when following breaks (with the error) and when it works again.
 */
export function followRevocations(source: RevocationSource, onChange?: (error: unknown) => void): RevocationFollower {
  const list = createRevocationList()
  const stop = new AbortController()
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  const patience = setTimeout(beReady, 2_000).unref()
  let connected = false
  let told = false
  // Not asked for when the module is loaded: until telemetry has started, a meter measures nothing.
  const gauge = metrics.getMeter('@gatehouse/identity').createObservableGauge('gatehouse.revocations.connected', {
    description: '1 while auth tells which sessions have ended',
  })
  const observe = (result: { observe(value: number): void }) => result.observe(connected ? 1 : 0)
  gauge.addCallback(observe)

  async function followOnce(cursor: string): Promise<string> {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(new Error('silence')), silenceMs)
    let last = cursor
    try {
      for await (const message of source.watchRevocations({ cursor }, { signal: AbortSignal.any([stop.signal, silent.signal]) })) {
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(new Error('silence')), silenceMs)
        for (const { sessionId, forgetTime } of message.revoked) list.add(sessionId, endOf(forgetTime))
        for (const { sessionId, generation, forgetTime } of message.raised) list.raise(sessionId, generation, endOf(forgetTime))
        for (const { keyId } of message.keys) list.changeKey(keyId)
        last = message.cursor
        if (!connected && told) onChange?.(undefined)
        connected = true
        told = false
        if (message.snapshotComplete) beReady()
      }
      return last
    } catch (error) {
      if (stop.signal.aborted) return last
      if (!told) onChange?.(error)
      told = true
      // A cursor that is refused would be refused for ever.
      return (error as { code?: number }).code === 9 ? '' : last
    } finally {
      clearTimeout(timer)
      connected = false
    }
  }

  const run = (async () => {
    let cursor = ''
    while (!stop.signal.aborted) {
      cursor = await followOnce(cursor)
      await pause(100 + Math.random() * 200, stop.signal)
    }
  })()

  return {
    ready,
    get connected() {
      return connected
    },
    isRevoked: list.isRevoked,
    onChange: list.onChange,
    onKeyChanged: list.onKeyChanged,
    async [Symbol.asyncDispose]() {
      stop.abort()
      clearTimeout(patience)
      beReady()
      gauge.removeCallback(observe)
      await run
    },
  }
}

function endOf(forgetTime: { readonly seconds: bigint } | undefined): number {
  return Number(forgetTime?.seconds ?? 0n) * 1000 + 1000
}
