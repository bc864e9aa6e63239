import type { Db } from '@gatehouse/postgres'
import { type Selectable, sql } from 'kysely'
import type { InboxItemsTable, Schema } from './schema.ts'

export interface InboxKey {
  readonly tenant: string
  readonly userId: string
}

export type InboxItemRow = Pick<Selectable<InboxItemsTable>, 'id' | 'sequence' | 'change_sequence' | 'kind' | 'create_time' | 'read_time'>

const columns = ['id', 'sequence', 'change_sequence', 'kind', 'create_time', 'read_time'] as const

/**
 * Gives out the next `count` sequences of an inbox and answers the last one; undefined where it is closed. The row stays locked until the
 * transaction ends, so a reader who sees a sequence sees every smaller one too.
 */
export async function takeSequences(db: Db<Schema>, { tenant, userId }: InboxKey, count: number): Promise<number | undefined> {
  const row = await db
    .insertInto('inbox_heads')
    .values({ tenant, user_id: userId, sequence: count })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'user_id'])
        .doUpdateSet(({ eb }) => ({ sequence: eb('inbox_heads.sequence', '+', count) }))
        .where('inbox_heads.closed', '=', false),
    )
    .returning('sequence')
    .executeTakeFirst()
  return row?.sequence
}

export async function insertInboxItem(
  db: Db<Schema>,
  { tenant, userId, id, sequence, kind }: InboxKey & { id: string; sequence: number; kind: string },
): Promise<void> {
  await db
    .insertInto('inbox_items')
    .values({ tenant, user_id: userId, id, sequence, change_sequence: sequence, kind, read_time: null })
    .execute()
}

/** The last sequence given out, 0 where nothing ever came, undefined where the inbox is closed. */
export async function headOf(db: Db<Schema>, { tenant, userId }: InboxKey): Promise<number | undefined> {
  const head = await db
    .selectFrom('inbox_heads')
    .select(['sequence', 'closed'])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return head ? (head.closed ? undefined : head.sequence) : 0
}

/** Newest first; `before` is the sequence that the page before ended with. */
export async function listItems(
  db: Db<Schema>,
  { tenant, userId }: InboxKey,
  { before, limit }: { before?: number; limit: number },
): Promise<InboxItemRow[]> {
  return db
    .selectFrom('inbox_items')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .$if(before !== undefined, (query) => query.where('sequence', '<', before ?? 0))
    .orderBy('sequence', 'desc')
    .limit(limit)
    .execute()
}

/** How many are unread, counted to `limit`. */
export async function countUnread(db: Db<Schema>, { tenant, userId }: InboxKey, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select 1 from inbox_items where tenant = ${tenant} and user_id = ${userId} and read_time is null limit ${limit}
    ) unread`.execute(db)
  return rows[0]?.count ?? 0
}

export async function findItems(db: Db<Schema>, { tenant, userId }: InboxKey, ids: readonly string[]): Promise<InboxItemRow[]> {
  return db
    .selectFrom('inbox_items')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where(sql<boolean>`id = any(${[...ids]}::uuid[])`)
    .execute()
}

/** Marks unread items as read under new sequences, the last of which is `last`, in the order of the ids. */
export async function markItemsRead(
  db: Db<Schema>,
  { tenant, userId }: InboxKey,
  { ids, last }: { ids: readonly string[]; last: number },
): Promise<void> {
  await sql`
    update inbox_items i set read_time = now(), change_sequence = ${last - ids.length}::int + marked.position::int
    from unnest(${[...ids]}::uuid[]) with ordinality marked(id, position)
    where i.tenant = ${tenant} and i.user_id = ${userId} and i.id = marked.id and i.read_time is null`.execute(db)
}

/** What happened in an inbox after a cursor; `closed` where the person is gone. */
export interface InboxChanges extends InboxKey {
  readonly closed: boolean
  /** The inbox's last sequence when it was looked into. */
  readonly head: number
  readonly items: readonly InboxItemRow[]
}

/** Looks into many inboxes with one statement: those with changes after their cursor (at most `limit` each, oldest first), and closed ones. */
export async function changesAfter(
  db: Db<Schema>,
  cursors: readonly (InboxKey & { cursor: number })[],
  limit: number,
): Promise<InboxChanges[]> {
  const { rows } = await sql<InboxKey & { closed: boolean; head: number } & { [K in keyof InboxItemRow]: InboxItemRow[K] | null }>`
    select h.tenant, h.user_id as "userId", h.closed, h.sequence as head, i.id, i.sequence, i.change_sequence, i.kind, i.create_time, i.read_time
    from unnest(${cursors.map((each) => each.tenant)}::text[], ${cursors.map((each) => each.userId)}::uuid[], ${cursors.map((each) => each.cursor)}::int[])
      watched(tenant, user_id, cursor)
    join inbox_heads h on h.tenant = watched.tenant and h.user_id = watched.user_id and (h.sequence > watched.cursor or h.closed)
    left join lateral (
      select id, sequence, change_sequence, kind, create_time, read_time from inbox_items i
      where i.tenant = h.tenant and i.user_id = h.user_id and i.change_sequence > watched.cursor
      order by i.change_sequence limit ${limit}
    ) i on true
    order by h.tenant, h.user_id, i.change_sequence`.execute(db)
  const changes = new Map<string, InboxChanges & { items: InboxItemRow[] }>()
  for (const { tenant, userId, closed, head, ...item } of rows) {
    const key = `${tenant} ${userId}`
    let change = changes.get(key)
    if (!change) {
      change = { tenant, userId, closed, head, items: [] }
      changes.set(key, change)
    }
    if (item.id !== null) change.items.push(item as InboxItemRow)
  }
  return [...changes.values()]
}

/** Empties an inbox for good: what comes later is not added. */
export async function closeInbox(db: Db<Schema>, { tenant, userId }: InboxKey): Promise<void> {
  await db
    .insertInto('inbox_heads')
    .values({ tenant, user_id: userId, sequence: 0, closed: true })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet({ closed: true }))
    .execute()
  await db.deleteFrom('inbox_items').where('tenant', '=', tenant).where('user_id', '=', userId).execute()
}

/** The oldest items, in a batch. */
export async function deleteOldItems(db: Db<Schema>, olderThanSeconds: number, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from inbox_items i using (
      select tenant, user_id, id from inbox_items
      where create_time < now() - make_interval(secs => ${olderThanSeconds}) order by create_time limit ${limit}
    ) old
    where i.tenant = old.tenant and i.user_id = old.user_id and i.id = old.id`.execute(db)
  return Number(numAffectedRows ?? 0n)
}
