import type { Db } from '@gatehouse/postgres'
import type { Logger } from '@gatehouse/telemetry'
import { changesAfter, type InboxChanges, type InboxItemRow, type InboxKey } from '../../store/inbox.ts'
import type { Schema } from '../../store/schema.ts'
import { type Bell, createBell } from '../bell.ts'

/** What happened in a watched inbox. */
export interface InboxNews {
  /** Oldest change first; empty where nothing happened for a while. */
  readonly items: readonly InboxItemRow[]
  /** How far the watcher was told. */
  readonly sequence: number
}

/** Tells everybody in this process who watches an inbox. */
export interface InboxHub extends AsyncDisposable {
  /** All that changed after the sequence, then what changes, with an empty message after each silence. Ends when aborted, and when the inbox is closed. */
  watch(key: InboxKey, sequence: number, signal: AbortSignal): AsyncIterable<InboxNews>
  /** Something happened in an inbox. */
  nudge(key: InboxKey): void
}

export interface InboxHubOptions {
  readonly db: Db<Schema>
  readonly log: Pick<Logger, 'warn' | 'info'>
  readonly pollMs?: number
  readonly heartbeatMs?: number
}

interface Watcher {
  readonly key: InboxKey
  readonly bell: Bell
  queue: InboxItemRow[]
  /** How far the queue reaches. */
  sequence: number
  closed: boolean
}

/** Items that may wait for one watcher; beyond them the database is the queue. */
const queueLimit = 200
const pageLimit = 100
const nameOf = ({ tenant, userId }: InboxKey) => `${tenant} ${userId}`

/** One poller for all watchers of the process: the rows are the truth, nudges only make it look sooner. */
export function createInboxHub({ db, log, pollMs = 1000, heartbeatMs = 10_000 }: InboxHubOptions): InboxHub {
  const watchers = new Map<string, Set<Watcher>>()
  const nudged = new Set<string>()
  const bell = createBell()
  const stop = new AbortController()
  let failing = false

  async function look(names: Iterable<string>): Promise<boolean> {
    // Those who come while the database answers may be further back than it was asked for.
    const asked = [...names].flatMap((name) => [...(watchers.get(name) ?? [])]).filter((watcher) => watcher.queue.length < queueLimit)
    if (asked.length === 0) return false
    const lowest = new Map<string, InboxKey & { cursor: number }>()
    for (const { key, sequence } of asked) {
      const name = nameOf(key)
      lowest.set(name, { ...key, cursor: Math.min(sequence, lowest.get(name)?.cursor ?? sequence) })
    }
    const changes = new Map((await changesAfter(db, [...lowest.values()], pageLimit)).map((each) => [nameOf(each), each]))
    let more = false
    for (const watcher of asked) {
      const change = changes.get(nameOf(watcher.key))
      if (change) more = tell(watcher, change) || more
    }
    return more
  }

  const run = (async () => {
    let nextRound = 0
    while (!stop.signal.aborted) {
      const round = Date.now() >= nextRound
      if (round) nextRound = Date.now() + pollMs
      const names = round ? [...watchers.keys()] : [...nudged]
      nudged.clear()
      try {
        if (await look(names)) for (const name of names) nudged.add(name)
        if (failing) log.info({}, 'inboxes are watched again')
        failing = false
      } catch (error) {
        if (!failing) log.warn({ err: error }, 'inboxes cannot be watched')
        failing = true
      }
      // Nobody watches: nothing to do until somebody comes.
      if (nudged.size === 0) await bell.sleep(watchers.size === 0 ? 60_000 : Math.max(0, nextRound - Date.now()))
    }
  })()

  function nudge(key: InboxKey): void {
    const name = nameOf(key)
    if (!watchers.has(name)) return
    nudged.add(name)
    bell.ring()
  }

  async function* watch(key: InboxKey, sequence: number, signal: AbortSignal): AsyncGenerator<InboxNews> {
    const watcher: Watcher = { key, bell: createBell(), queue: [], sequence, closed: false }
    const end = AbortSignal.any([signal, stop.signal])
    end.addEventListener('abort', watcher.bell.ring)
    const name = nameOf(key)
    watchers.set(name, (watchers.get(name) ?? new Set()).add(watcher))
    nudge(key)
    try {
      // The first message comes at once, so that whoever watches sees that it works.
      if (!end.aborted) yield { items: [], sequence }
      while (!end.aborted) {
        if (watcher.queue.length === 0 && !watcher.closed) await watcher.bell.sleep(heartbeatMs)
        if (end.aborted || (watcher.closed && watcher.queue.length === 0)) return
        const items = watcher.queue
        watcher.queue = []
        if (items.length > 0) nudge(key)
        yield { items, sequence: watcher.sequence }
      }
    } finally {
      end.removeEventListener('abort', watcher.bell.ring)
      const set = watchers.get(name)
      set?.delete(watcher)
      if (set?.size === 0) watchers.delete(name)
    }
  }

  return {
    watch,
    nudge,
    async [Symbol.asyncDispose]() {
      stop.abort()
      bell.ring()
      await run
    },
  }
}

/** Gives a watcher what it does not have yet; answers whether there may be more. */
function tell(watcher: Watcher, { closed, head, items }: InboxChanges): boolean {
  const fresh = items.filter((item) => item.change_sequence > watcher.sequence)
  watcher.queue.push(...fresh)
  const full = items.length === pageLimit
  watcher.sequence = full ? (fresh.at(-1)?.change_sequence ?? watcher.sequence) : Math.max(head, watcher.sequence)
  watcher.closed = closed
  if (fresh.length > 0 || closed) watcher.bell.ring()
  return full && watcher.queue.length < queueLimit
}
