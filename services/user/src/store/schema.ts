import type { ColumnType, Generated } from 'kysely'

/** The tables that this service makes itself; those of the packages stand beside them in the same schema. */
export type Schema = {
  users: UsersTable
  pending_revocations: PendingRevocationsTable
}

/** Where a person stands, as stored. */
export type UserState = 'invited' | 'active' | 'suspended' | 'deleted'

export type UsersTable = {
  tenant: string
  id: string
  /** Counts the changes from 1; orders the person's events and makes the etag. */
  version: Generated<bigint>
  state: UserState
  /** The canonical spelling that mail goes to; null once deleted. */
  email: string | null
  /** What makes an address one address: unique within the tenant; null once deleted, which frees it. */
  email_key: string | null
  email_verified: boolean
  name: string
  /** The name folded for search; null once deleted. */
  name_key: string | null
  locale: string
  time_zone: Generated<string>
  create_time: Generated<Date>
  update_time: Generated<Date>
}

/** People whose sessions have to end: written with the suspension or deletion, gone when auth has answered. */
export type PendingRevocationsTable = {
  tenant: string
  user_id: string
  /** The person's version that asked for it; a newer request replaces an older one. */
  version: bigint
  attempts: Generated<number>
  /** When the person was let back: sessions that were opened later stay. */
  opened_until: ColumnType<Date | null, Date | null | undefined, Date | null>
  /** When a worker may take it: in the future while one holds it or waits after a failure. */
  due_time: Generated<Date>
}
