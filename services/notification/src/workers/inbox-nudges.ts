import type { Nats } from '@gatehouse/events'
import type { InboxKey } from '../store/inbox.ts'

const subject = 'gatehouse.notification.inbox'

/** Tells the other replicas that an inbox changed, and is told by them. Only a shortcut: whoever watches looks by itself too. */
export function shareInboxNudges(nats: Nats, onNudge: (key: InboxKey) => void): { send(key: InboxKey): void } & AsyncDisposable {
  const subscribed = new WeakSet<object>()
  const off = nats.onConnect((connection) => {
    // A connection that was mended keeps its subscriptions.
    if (subscribed.has(connection)) return
    subscribed.add(connection)
    connection.subscribe(subject, {
      callback: (error, message) => {
        const [tenant, userId] = error ? [] : message.string().split(' ')
        if (tenant && userId) onNudge({ tenant, userId })
      },
    })
  })
  return {
    send: ({ tenant, userId }) => nats.current()?.publish(subject, `${tenant} ${userId}`),
    async [Symbol.asyncDispose]() {
      off()
    },
  }
}
