import type { ColumnType } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** What was told lately: the same is not told again before its time. */
export interface SuspicionMarksTable {
  tenant: Fixed<string>
  /** A person's id, or an HMAC in hex of the source or address that it is about. */
  subject: Fixed<string>
  /** What was told; a new device and a new network are told as one. */
  kind: Fixed<string>
  until_time: Date
}

/** What a mail about something suspicious tells; gone with its challenge. */
export interface SuspicionsTable {
  tenant: Fixed<string>
  challenge_id: Fixed<string>
  kinds: Fixed<string[]>
  user_agent: Fixed<string>
  network: Fixed<string>
  happen_time: Fixed<Date>
}

/** The tables of suspicious activity. */
export interface SuspicionTables {
  suspicion_marks: SuspicionMarksTable
  suspicions: SuspicionsTable
}
