import type { FaultRecord, Operation } from '../history.ts'
import type { Publication } from '../publications.ts'

export interface EventRow {
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly key: string
  readonly version: number
  /** Whether a broker has confirmed it. */
  readonly published: boolean
}

/** What every service keeps beside its own tables. */
export interface ServiceRows {
  readonly outbox: readonly EventRow[]
  readonly inbox: readonly { readonly event_id: string; readonly consumer: string }[]
  readonly requests: readonly { readonly method: string; readonly request_id: string; readonly result_id: string | null }[]
  readonly dead_letters: readonly { readonly event_id: string; readonly type: string; readonly reason: string }[]
  /** Of the relay's lease. */
  readonly epoch: number
}

export interface UserRows extends ServiceRows {
  readonly users: readonly {
    readonly id: string
    readonly version: number
    readonly state: string
    readonly email: string | null
    readonly name: string
  }[]
}

export interface AuthRows extends ServiceRows {
  readonly challenges: readonly {
    readonly id: string
    readonly kind: string
    readonly user_id: string | null
    readonly mail_count: number
  }[]
  readonly sessions: readonly {
    readonly id: string
    readonly user_id: string
    readonly version: number
    readonly ended: boolean
    readonly end_cause: string | null
  }[]
  readonly credentials: readonly { readonly user_id: string }[]
  readonly refresh_tokens: readonly {
    readonly token: string
    readonly session_id: string
    readonly used: boolean
    readonly successor: string | null
  }[]
}

export interface NotificationRows extends ServiceRows {
  readonly notifications: readonly {
    readonly id: string
    readonly template: string
    readonly user_id: string | null
    readonly challenge_id: string | null
  }[]
  readonly deliveries: readonly {
    readonly id: string
    readonly notification_id: string
    readonly state: string
    readonly version: number
  }[]
  readonly inbox_items: readonly { readonly user_id: string; readonly kind: string; readonly sequence: number }[]
}

/** A message as a stream has it. */
export interface StreamEvent {
  readonly service: string
  /** Its place in the stream. */
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly key: string
  readonly version: number
}

/** Everything that there is to see after a run. */
export interface Evidence {
  readonly operations: readonly Operation[]
  readonly faults: readonly FaultRecord[]
  readonly user: UserRows
  readonly auth: AuthRows
  readonly notification: NotificationRows
  readonly stream: readonly StreamEvent[]
  readonly publications: readonly Publication[]
  /** Message-ID and recipient of each mail that the mail server took, in its order. */
  readonly mails: readonly { readonly deliveryId: string; readonly to: string }[]
  /** What still waited when the dust should have settled. */
  readonly unsettled: readonly string[]
  readonly troubles: readonly string[]
}

export interface Violation {
  readonly rule: string
  readonly sentence: string
  /** Ids and rows that show it; a few, however many there are. */
  readonly evidence: readonly string[]
}

/** One promise that has to hold after every run. */
export interface Rule {
  readonly name: string
  /** What has to hold, as the violation is called when it does not. */
  readonly sentence: string
  /** What contradicts it. */
  readonly contradictions: (evidence: Evidence) => Iterable<string>
}
