import {
  type EventService,
  eventServices,
  type NatsRights,
  rightsOfService,
  rightsOfStreamKeeper,
  rightsOfSubscriber,
  streamKeeper,
} from '@gatehouse/events/nats-rights'

/** A user of the one NATS account. Without permissions it may do everything in the account. */
export type NatsUser = {
  readonly name: string
  /** At least 16 characters of the base64url alphabet. */
  readonly password: string
  readonly permissions?: NatsPermissions
}

export type NatsPermissions = { readonly publish: SubjectRule; readonly subscribe: SubjectRule }
export type SubjectRule = { readonly allow: readonly string[]; readonly deny?: readonly string[] }

export type NatsUserName = EventService | typeof streamKeeper | 'subscriber'

/** One user per service and one who makes the streams, with the rights of production, and `subscriber` for whoever listens on this machine, under any name but a service's. */
export function natsServiceUsers(passwords: Readonly<Record<NatsUserName, string>>): NatsUser[] {
  const services = eventServices.map((name) => ({ name, password: passwords[name], permissions: permissions(rightsOfService(name)) }))
  return [
    ...services,
    { name: streamKeeper, password: passwords[streamKeeper], permissions: permissions(rightsOfStreamKeeper) },
    { name: 'subscriber', password: passwords.subscriber, permissions: ofAnySubscriber },
  ]
}

export const permissions = ({ publish, subscribe }: NatsRights): NatsPermissions => ({
  publish: { allow: publish },
  subscribe: { allow: subscribe },
})

/** A durable has its service's name, and one beside it while new kinds are caught up with: whoever else asks for its messages takes them away, and can pause or delete it. */
const consumersOf = (service: string): string[] =>
  [service, `${service}-catch-up`].flatMap((durable) => [
    `$JS.API.CONSUMER.*.*.${durable}`,
    `$JS.API.CONSUMER.*.*.${durable}.>`,
    `$JS.API.CONSUMER.*.*.*.${durable}`,
    `$JS.ACK.*.${durable}.>`,
  ])

const { publish, subscribe } = rightsOfSubscriber('subscriber')

const ofAnySubscriber: NatsPermissions = {
  publish: { allow: [...publish, '$JS.API.CONSUMER.>', '$JS.API.STREAM.INFO.*', '$JS.ACK.>'], deny: eventServices.flatMap(consumersOf) },
  subscribe: { allow: subscribe },
}
