import type { Db } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Limit } from './limit.ts'
import type { Schema } from './schema.ts'
import { columns, type UserRow } from './users.ts'

/** A person at a place of a search: under the name, or under the address. */
export type Found = UserRow & {
  readonly key: string
  /** Stands at an earlier place of the same search too. */
  readonly seen: boolean
}

export type SearchPage = {
  readonly tenant: string
  readonly from: string
  /** Null where there is no upper end. */
  readonly below: string | null
  readonly after: { readonly key: string; readonly id: string }
  readonly limit: Limit
}

/**
 * The next places behind `after` of those whose name or address lies in `[from, below)`, in the order of (key, id). Two walks along an index, each of
 * which ends after `limit` rows, however many people match; so whoever matches by both comes twice, the second time `seen`.
 */
export async function searchUsers(db: Db<Schema>, { tenant, from, below, after, limit }: SearchPage): Promise<Found[]> {
  const most = sql.raw(String(limit))
  const within = (key: typeof nameKey) =>
    below === null ? sql<boolean>`${key} >= ${from}` : sql<boolean>`(${key} >= ${from} and ${key} < ${below})`
  const walk = (key: typeof nameKey, seen: typeof nameKey, order: typeof nameKey) => sql`
    (select ${listed}, ${key} as key, ${seen} as seen from users
    where tenant = ${tenant} and ${within(key)} and ${key} >= ${after.key} and (${key}, id) > (${after.key}, ${after.id}::uuid)
    order by ${order} limit ${most})`
  const { rows } = await sql<Found>`select * from (
    ${walk(nameKey, sql`(${within(emailKey)} and email_key < name_key)`, sql`name_key, id`)}
    union all
    ${walk(emailKey, sql`(${within(nameKey)} and name_key <= email_key)`, sql`email_key`)}
  ) found order by key, id limit ${most}`.execute(db)
  return rows
}

const nameKey = sql`name_key`
const emailKey = sql`email_key`
const listed = sql.join(columns.map((column) => sql.ref(column)))
