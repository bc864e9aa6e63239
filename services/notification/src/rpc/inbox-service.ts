import type { ServiceImpl } from '@connectrpc/connect'
import type { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { type Call, callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import type { InboxHub } from '../core/inbox/inbox-hub.ts'
import { languageOf } from '../core/inbox/language-of.ts'
import { listInboxItems } from '../core/inbox/list-inbox-items.ts'
import { markInboxItemsRead } from '../core/inbox/mark-inbox-items-read.ts'
import { watchInbox } from '../core/inbox/watch-inbox.ts'
import type { InboxItemRow, InboxKey } from '../store/inbox.ts'
import { toInboxItem } from './to-proto.ts'

export const inboxService = (deps: Deps, hub: InboxHub) => {
  const inLanguageOf = async (call: Call, items: readonly InboxItemRow[]) => {
    if (items.length === 0) return []
    const { signal } = call
    return items.map(toInboxItem(await languageOf(deps, inboxOf(call), { acceptLanguage: call.header('accept-language') ?? '', signal })))
  }
  return {
    async listInboxItems({ pageSize, pageToken }, context) {
      const call = callOf(context)
      const { items, ...page } = await listInboxItems(deps, { key: inboxOf(call), pageSize, pageToken })
      return { items: await inLanguageOf(call, items), ...page }
    },
    async markInboxItemsRead({ ids }, context) {
      const call = callOf(context)
      return { items: await inLanguageOf(call, await markInboxItemsRead(deps, { key: inboxOf(call), ids })) }
    },
    async *watchInbox({ cursor }, context) {
      const call = callOf(context)
      for await (const news of watchInbox({ hub }, { key: inboxOf(call), cursor, signal: call.signal })) {
        yield { items: await inLanguageOf(call, news.items), cursor: news.cursor }
      }
    },
  } satisfies ServiceImpl<typeof InboxService>
}

function inboxOf(call: Call): InboxKey {
  const { tenant, id } = call.person()
  return { tenant, userId: id }
}
