import type { Client } from '@connectrpc/connect'
import type { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import type { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import type { Db } from '@gatehouse/postgres'
import type { Logger } from '@gatehouse/telemetry'
import type { InboxKey } from '../store/inbox.ts'
import type { Schema } from '../store/schema.ts'
import type { FindReader } from './deliveries/find-reader.ts'
import type { MarkDelivered } from './deliveries/mark-delivered.ts'
import type { OutgoingMail } from './mail/write-mail.ts'

/** How the sender of mails behaves. */
export interface DeliveryRules {
  /** Tries after which a mail is given up. */
  readonly maxAttempts: number
  /** Age after which a mail is given up that could not even be tried, because a peer is away. */
  readonly maxAgeSeconds: number
  /** Upper bound of the first wait; it doubles with each try. */
  readonly firstDelaySeconds: number
  /** Upper bound of every wait. */
  readonly maxDelaySeconds: number
}

/** Everything that the use cases of the service need from outside. */
export interface Deps {
  readonly db: Db<Schema>
  readonly users: Pick<Client<typeof UserService>, 'resolveUser' | 'batchGetUsers'>
  /** Asks user who reads a mail, together with the readers of other mails. */
  readonly findReader: FindReader
  readonly challenges: Client<typeof ChallengeService>
  /** Where the pages of a tenant live; undefined while auth has not told yet. */
  readonly originOf: (tenant: string) => string | undefined
  /** Hands a mail to the mail server; rejects when that did not take it. */
  readonly sendMail: (mail: OutgoingMail, signal: AbortSignal) => Promise<void>
  /** Writes down that a mail was sent, together with others. */
  readonly markDelivered: MarkDelivered
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** What the house is called in mails. */
  readonly brand: string
  readonly rules: DeliveryRules
  /** A number in [0, 1). */
  readonly random: () => number
  /** Call it after a commit that added events: the relay does not wait for its next poll. */
  readonly committed: () => void
  /** Call it after a commit that added deliveries: the workers do not wait for their next poll. */
  readonly mailWaits: () => void
  /** Call it after a commit that changed an inbox: those who watch it are told at once, in other replicas too. */
  readonly inboxChanged: (key: InboxKey) => void
}
