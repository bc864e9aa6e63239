import { Code, ConnectError } from '@connectrpc/connect'
import type { InboxItem } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import type { Gatehouse } from './gatehouse.ts'

/** News from the inbox: from the stream of this tab, or from another tab's. */
export interface InboxNews {
  /** New or changed items, oldest first. */
  readonly items: readonly InboxItem[]
}

interface Told extends InboxNews {
  readonly cursor: string
}

/**
 * Calls back for each item of the person's inbox after `cursor` as it comes, until `signal` is aborted. A browser has six connections to an origin over
 * HTTP/1.1, so one tab holds the stream and tells the others; when it closes, another goes on from the last cursor.
 * @param userId Whose inbox; keeps the tabs of two people apart.
 */
export async function followInbox(
  { inbox, session }: Pick<Gatehouse, 'inbox' | 'session'>,
  userId: string,
  cursor: string,
  onNews: (news: InboxNews) => void,
  signal: AbortSignal,
): Promise<void> {
  const name = `gatehouse.inbox.${userId}`
  const channel = new BroadcastChannel(name)
  let last = cursor
  const take = (told: Told) => {
    last = told.cursor
    if (told.items.length > 0) onNews({ items: told.items })
  }
  channel.onmessage = ({ data }) => take(data as Told)
  try {
    await navigator.locks.request(name, { signal }, async () => {
      for (let pauseMs = 250; !signal.aborted; ) {
        try {
          for await (const message of inbox.watchInbox({ cursor: last }, { signal })) {
            pauseMs = 250
            const told = { items: message.items, cursor: message.cursor }
            take(told)
            channel.postMessage(told)
          }
        } catch (error) {
          const { code } = ConnectError.from(error)
          if (signal.aborted || code === Code.PermissionDenied) return
          // The token ended, or the session did: only auth knows which, and a page of somebody who is signed out must not stay.
          if (code === Code.Unauthenticated && (await session.renew()) === undefined) return
          if (code === Code.InvalidArgument) last = ''
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        pauseMs = Math.min(pauseMs * 2, 10_000)
      }
    })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    channel.close()
  }
}
