import { AckPolicy, type ConsumerConfig, DeliverPolicy } from '@nats-io/jetstream'
import { nanos } from '@nats-io/nats-core'

export const ackWaitMs = 30_000
const maxAckPending = 1000

/** What JetStream calls a consumer that is not there. */
export const consumerNotFound = 10014

export type Wanted = { readonly subjects: readonly string[]; readonly from: 'start' | 'now' }

/** What a consumer is asked to be, but for its name. */
export const consumerSettings = ({ subjects, from }: Wanted): Partial<ConsumerConfig> => ({
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(ackWaitMs),
  // Giving up is ours, with a reason: the stream would only fall silent.
  max_deliver: -1,
  max_ack_pending: maxAckPending,
  deliver_policy: from === 'start' ? DeliverPolicy.All : DeliverPolicy.New,
  filter_subjects: [...subjects].sort(),
})
