import type { CallOptions } from '@connectrpc/connect'
import type { WatchAccessResponse } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { metrics } from '@opentelemetry/api'
import { pause } from '../pause.ts'
import { type AccessDirectory, createAccessDirectory, freshMs } from './access-directory.ts'
import { AccessModel } from './access-model.ts'

/** An {@link AccessDirectory} that follows auth. */
export interface AccessFollower extends AccessDirectory, AsyncDisposable {
  /** Settles when everything was told, when auth cannot tell, or after two seconds: the claims of tokens decide then. */
  readonly ready: Promise<void>
}

/** The part of an `AccessService` client that is needed. */
export interface AccessSource {
  watchAccess(request: { cursor: string }, options?: CallOptions): AsyncIterable<WatchAccessResponse>
}

/** Options of {@link followAccess}. */
export interface FollowAccessOptions {
  /** The clock of expiries and conditions, in milliseconds since 1970; the machine's unless given. */
  readonly now?: () => number
  /** Told when following breaks (with the error) and when it works again. */
  readonly onChange?: (error: unknown) => void
}

const cursorRefused = 9
/** A picture older than this is made anew at the next break; streams end by themselves every five minutes. */
const snapshotMs = 15 * 60_000
const unimplemented = 12
const unimplementedPauseMs = 5_000

/**
 * Follows `AccessService.WatchAccess`: a snapshot, then each change as it happens. Comes again by itself after a break, from the last cursor, and
 * after ten seconds of silence.
 */
export function followAccess(source: AccessSource, { now, onChange }: FollowAccessOptions = {}): AccessFollower {
  const directory = createAccessDirectory(now)
  const stop = new AbortController()
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  const patience = setTimeout(beReady, 2_000).unref()
  const stopMeasuring = measureFresh(directory)
  let told = false
  let cursor = ''
  let snapshotAt = Number.NEGATIVE_INFINITY

  /** Answers how long to wait before the next try. */
  async function followOnce(): Promise<number> {
    const silent = new AbortController()
    const beSilent = () => silent.abort(new Error('silence'))
    let timer = setTimeout(beSilent, freshMs)
    if (performance.now() - snapshotAt > snapshotMs) cursor = ''
    // Until everything was told the old picture stays.
    let next = cursor === '' ? new AccessModel() : undefined
    try {
      for await (const message of source.watchAccess({ cursor }, { signal: AbortSignal.any([stop.signal, silent.signal]) })) {
        clearTimeout(timer)
        timer = setTimeout(beSilent, freshMs)
        if (next === undefined) directory.apply(message.facts)
        else for (const fact of message.facts) next.apply(fact)
        if (next !== undefined && message.snapshotComplete) {
          directory.replace(next)
          next = undefined
          snapshotAt = performance.now()
        }
        if (next === undefined) cursor = message.cursor
        if (message.asOfTime !== undefined) directory.heard(Number(message.asOfTime.seconds) * 1000 + message.asOfTime.nanos / 1e6)
        if (told) onChange?.(undefined)
        told = false
        if (message.snapshotComplete) beReady()
      }
    } catch (error) {
      if (stop.signal.aborted) return 0
      if (!told) onChange?.(error)
      told = true
      const { code } = error as { code?: number }
      // A cursor that is refused would be refused for ever.
      if (code === cursorRefused) cursor = ''
      // The release of auth before this one: the claims of its tokens decide.
      if (code === unimplemented) {
        beReady()
        return unimplementedPauseMs
      }
    } finally {
      clearTimeout(timer)
    }
    return 100 + Math.random() * 200
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      await pause(await followOnce(), stop.signal)
    }
  })()

  return {
    ready,
    get fresh() {
      return directory.fresh
    },
    allows: directory.allows,
    allowsSome: directory.allowsSome,
    holdsEverything: directory.holdsEverything,
    onChange: directory.onChange,
    async [Symbol.asyncDispose]() {
      stop.abort()
      clearTimeout(patience)
      beReady()
      stopMeasuring()
      await run
    },
  }
}

/** Shows whether decisions follow what is bound; answers how to stop that. */
export function measureFresh(directory: AccessDirectory): () => void {
  // Not asked for when the module is loaded: until telemetry has started, a meter measures nothing.
  const gauge = metrics.getMeter('@gatehouse/identity').createObservableGauge('gatehouse.access.fresh', {
    description: '1 while decisions follow what is bound, 0 while the claims of tokens decide',
  })
  const observe = (result: { observe(value: number): void }) => result.observe(directory.fresh ? 1 : 0)
  gauge.addCallback(observe)
  return () => gauge.removeCallback(observe)
}
