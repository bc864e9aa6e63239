import type { ColumnType, Generated } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** What somebody is told by mail; the row never changes. How far it came stands in its delivery. */
export interface NotificationsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  template: Fixed<string>
  /** Null where nobody exists yet. */
  user_id: Fixed<string | null>
  /** Set where auth knows what the mail says and to whom it goes. */
  challenge_id: Fixed<string | null>
  /** About security, or awaited by somebody in front of a screen: goes before everything else. */
  urgent: Fixed<boolean>
  send_time: Fixed<Date>
  create_time: ColumnType<Date, never, never>
}

export type DeliveryState = 'pending' | 'sending' | 'delivered' | 'failed' | 'cancelled' | 'suppressed' | 'superseded'

/** What a template of the senders is filled in with. */
export type MailData = Readonly<Record<string, string>>

/** One mail with one Message-ID. A notification has one that is not superseded. */
export interface DeliveriesTable {
  tenant: Fixed<string>
  id: Fixed<string>
  notification_id: Fixed<string>
  urgent: Fixed<boolean>
  state: Generated<DeliveryState>
  /** Counts the changes of the notification's state from 1; the order of its events. */
  version: Generated<number>
  /** How often sending was begun. */
  attempts: Generated<number>
  /** How often it could not begin, because a peer was away or no connection was free in time. */
  postponements: Generated<number>
  /** Counts the claims: who claimed last may settle, a thawed worker may not. */
  claim: Generated<number>
  /** When a worker may take it: when it is due or, while a worker has it, when that worker's lease ends. */
  due_time: Date
  /** What it says; null once it is said or nobody will hear it. */
  data: ColumnType<MailData | null, string | null, null>
  /** Why it failed, or was not sent on purpose. Names no address. */
  failure: Generated<string>
  /** Of what caused it (W3C Trace Context). */
  traceparent: Fixed<string | null>
  create_time: ColumnType<Date, never, never>
  update_time: Generated<Date>
}

/** Deliveries that were given up. */
export interface DeadDeliveriesTable {
  tenant: Fixed<string>
  delivery_id: Fixed<string>
  reason: Fixed<string>
  attempts: Fixed<number>
  create_time: ColumnType<Date, never, never>
}

/** One for each person who was ever told something in the application. */
export interface InboxHeadsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  /** The last sequence given out. Its row lock makes sequences appear in their order. */
  sequence: number
  /** The person is gone: nothing is added any more. */
  closed: Generated<boolean>
}

export interface InboxItemsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  id: Fixed<string>
  /** Of its coming; the order of the inbox. */
  sequence: Fixed<number>
  /** Of its coming or its being read; what a watch goes by. */
  change_sequence: number
  kind: Fixed<string>
  create_time: ColumnType<Date, never, never>
  read_time: Date | null
}

/** The tables that this service makes itself; those of the packages stand beside them in the same schema. */
export interface Schema {
  notifications: NotificationsTable
  deliveries: DeliveriesTable
  dead_deliveries: DeadDeliveriesTable
  inbox_heads: InboxHeadsTable
  inbox_items: InboxItemsTable
}
