import type { InboxItem } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { followInbox, refusedOf } from '@gatehouse/web'
import { useEffect, useState } from 'react'
import { gatehouse, useSession } from '../gatehouse.ts'
import { Page } from '../parts/page.tsx'

/** The inbox, which fills while one looks at it. */
export function Inbox() {
  const session = useSession()
  const userId = session.kind === 'signed_in' ? session.user.id : ''
  const [items, setItems] = useState<readonly InboxItem[] | undefined>()
  const [problem, setProblem] = useState('')
  const [next, setNext] = useState('')

  useEffect(() => {
    const stop = new AbortController()
    async function follow() {
      const page = await gatehouse.inbox.listInboxItems({ pageSize: 50 }, { signal: stop.signal })
      setItems(page.items)
      setNext(page.nextPageToken)
      await followInbox(gatehouse, userId, page.cursor, ({ items: news }) => setItems((held) => merge(held ?? [], news)), stop.signal)
    }
    follow().catch((error: unknown) => {
      if (!stop.signal.aborted) setProblem(refusedOf(error).message)
    })
    return () => stop.abort()
  }, [userId])

  async function more() {
    const page = await gatehouse.inbox.listInboxItems({ pageSize: 50, pageToken: next })
    setItems((held) => [...(held ?? []), ...page.items])
    setNext(page.nextPageToken)
  }
  async function markRead(ids: string[]) {
    const answer = await gatehouse.inbox.markInboxItemsRead({ ids })
    setItems((held) => merge(held ?? [], answer.items))
  }
  const unread = (items ?? []).filter((item) => !item.readTime).map((item) => item.id)
  return (
    <Page title="Inbox" wide>
      <p role="alert" className={problem ? 'alert' : 'alert none'}>
        {problem}
      </p>
      <div className="row">
        <p role="status">{items === undefined ? 'One moment …' : unread.length === 0 ? 'Nothing unread.' : `${unread.length} unread`}</p>
        {unread.length > 0 && (
          <button type="button" className="quiet" onClick={() => void markRead(unread.slice(0, 200))}>
            Mark all as read
          </button>
        )}
      </div>
      <ul className="list" aria-live="polite">
        {(items ?? []).map((item) => (
          <li key={item.id} className={item.readTime ? '' : 'unread'}>
            <div>
              <strong>{item.title}</strong>
              <p>{item.body}</p>
              <small>{item.createTime && new Date(Number(item.createTime.seconds) * 1000).toLocaleString()}</small>
            </div>
            {!item.readTime && (
              <button type="button" className="quiet" onClick={() => void markRead([item.id])}>
                Read<span className="unseen"> {item.title}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      {next !== '' && (
        <button type="button" className="quiet" onClick={() => void more()}>
          Older
        </button>
      )}
    </Page>
  )
}

/** Newest first; an item that came again replaces its earlier self. */
function merge(held: readonly InboxItem[], news: readonly InboxItem[]): readonly InboxItem[] {
  const byId = new Map(held.map((item) => [item.id, item]))
  for (const item of news) byId.set(item.id, item)
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
}
