import { type LogPlace, logEnd, PlaceForgotten, readLog } from '@gatehouse/events'
import type { Logger } from '@gatehouse/telemetry'
import type { Deps } from '../deps.ts'
import { Places } from './places.ts'
import { Stretch } from './stretch.ts'
import { Turns } from './turns.ts'

/** Feeds everybody in this process who watches people, with one look at the log for all of them. */
export interface UserFeed extends AsyncDisposable {
  /** Counts a stream in, until what it answers is disposed. Throws a refusal where there is no room. */
  enter(caller: string): Disposable
  /** What comes next after a position: undefined when that is nothing, `behind` when the feed does not reach back so far and the log has to be read. */
  after(position: bigint): Stretch | undefined | 'behind'
  /** Reads a piece of the log for one who is behind; few are read at once. */
  catchUp<T>(read: () => Promise<T>): Promise<T>
  /** The end of the log as it was last seen, and when (performance.now()). */
  readonly seen: { readonly end: LogPlace; readonly time: number } | undefined
  /** Counts the news; to be read before looking, and given to {@link wait}. */
  readonly news: number
  /** Resolves when there are other news than these, after `ms`, or when aborted. */
  wait(news: number, ms: number, signal: AbortSignal): Promise<void>
}

export interface UserFeedOptions {
  readonly db: Deps['db']
  readonly log: Pick<Logger, 'warn' | 'info'>
  readonly pollMs?: number
  readonly maxStreams?: number
  readonly maxStreamsOfCaller?: number
  /** Events of the log that are kept for those who are a little behind. */
  readonly keptEvents?: number
  /** For how long people who were read are told to others too. */
  readonly freshMs?: number
}

/** Events that are read at once: the most people in one message. */
export const stretchSize = 250
const catchUpsAtOnce = 2

/** While nobody watches nothing is asked. While Postgres is away nobody is told anything, so that readers know. */
export function createUserFeed(options: UserFeedOptions): UserFeed {
  const { db, log, pollMs = 100, maxStreams = 1000, maxStreamsOfCaller = 20, keptEvents = 5000, freshMs = 1000 } = options
  const places = new Places(maxStreams, maxStreamsOfCaller)
  const turns = new Turns(catchUpsAtOnce)
  const stop = new AbortController()
  const waiting = new Set<() => void>()
  let stretches: Stretch[] = []
  /** Where the first stretch begins. */
  let start: bigint | undefined
  let seen: { end: LogPlace; time: number } | undefined
  let news = 0
  let failing = false

  const ring = (): void => {
    news++
    for (const wake of waiting) wake()
  }

  async function look(): Promise<void> {
    const time = performance.now()
    if (seen === undefined) {
      const end = await logEnd(db)
      start = end.position
      seen = { end, time }
      return ring()
    }
    for (let full = true; full && !stop.signal.aborted; ) {
      const [first, ...rest] = await readLog(db, seen.end.position, stretchSize)
      seen = { ...seen, time }
      if (first === undefined) return
      const stretch = new Stretch(db, [first, ...rest], freshMs)
      stretches.push(stretch)
      seen = { end: stretch.end, time }
      full = stretch.size === stretchSize
      forget()
      ring()
    }
  }

  function forget(): void {
    for (let kept = stretches.reduce((sum, { size }) => sum + size, 0); kept > keptEvents; ) {
      const oldest = stretches.shift()
      if (oldest === undefined) return
      kept -= oldest.size
      start = oldest.end.position
    }
  }

  function reset(): void {
    stretches = []
    start = undefined
    seen = undefined
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      if (places.taken === 0) {
        reset()
        await wait(news, 60_000, stop.signal)
        continue
      }
      try {
        await look()
        if (failing) log.info({}, 'changes of people are read again')
        failing = false
      } catch (error) {
        if (error instanceof PlaceForgotten) reset()
        if (!failing) log.warn({ err: error }, 'changes of people cannot be read')
        failing = true
      }
      await pause(pollMs, stop.signal)
    }
  })()

  function wait(than: number, ms: number, signal: AbortSignal): Promise<void> {
    if (news !== than || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  return {
    enter(caller) {
      places.take(caller)
      if (places.taken === 1) ring()
      return { [Symbol.dispose]: () => places.leave(caller) }
    },
    after(position) {
      if (start === undefined || position < start) return 'behind'
      return stretches.find(({ end }) => end.position > position)
    },
    catchUp: (read) => turns.take(read),
    get seen() {
      return seen
    },
    get news() {
      return news
    },
    wait,
    async [Symbol.asyncDispose]() {
      stop.abort()
      ring()
      await run
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
