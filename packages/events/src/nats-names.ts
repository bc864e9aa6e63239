/** The stream of a service's events. */
export const streamOf = (service: string): string => `gatehouse-${service}`

/** Beside a durable, where events are taken that its stream has passed over. */
export const catchUpOf = (durable: string): string => `${durable}-catch-up`

/** The durable of somebody outside. */
export const subscriberOf = (name: string): string => `subscriber-${name}`

/** Where a user of NATS is answered: one place for all would let everybody read what everybody else is sent. */
export const inboxPrefixOf = (user: string): string => `_INBOX.${user}`
