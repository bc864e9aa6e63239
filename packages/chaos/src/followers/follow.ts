import { setTimeout as delay } from 'node:timers/promises'
import { Code, ConnectError } from '@connectrpc/connect'

/** Somebody who reads a stream for as long as it takes, and begins again where it was cut off. */
export interface Follower<Item> extends AsyncDisposable {
  /** Everything that was told, in its order, as often as it was told. */
  readonly told: readonly Item[]
  /** How often the stream ended and was taken up again. */
  readonly resumed: number
}

export interface Following<Message, Item> {
  /** Opens the stream after a cursor; an empty one is the beginning. */
  readonly open: (cursor: string, signal: AbortSignal) => AsyncIterable<Message>
  readonly read: (message: Message) => { readonly items: readonly Item[]; readonly cursor: string }
}

/** Ends of a stream after which a reader comes again: the replica left, or could not be reached. */
const again: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.ResourceExhausted, Code.Internal, Code.Unknown]

/** Follows until disposed; disposing rejects with what ended the stream for good. */
export function follow<Message, Item>({ open, read }: Following<Message, Item>): Follower<Item> {
  const stop = new AbortController()
  const told: Item[] = []
  let opened = 0
  const run = (async () => {
    for (let cursor = ''; !stop.signal.aborted; await delay(50, undefined, { signal: stop.signal }).catch(() => undefined)) {
      opened++
      try {
        for await (const message of open(cursor, stop.signal)) {
          const news = read(message)
          told.push(...news.items)
          cursor = news.cursor || cursor
        }
      } catch (error) {
        if (!stop.signal.aborted && !again.includes(ConnectError.from(error).code)) throw error
      }
    }
  })()
  run.catch(() => undefined)
  return {
    told,
    get resumed() {
      return Math.max(0, opened - 1)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await run
    },
  }
}
