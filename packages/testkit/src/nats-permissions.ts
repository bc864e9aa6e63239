/** A user of the one NATS account. Without permissions it may do everything in the account. */
export type NatsUser = {
  readonly name: string
  /** At least 16 characters of the base64url alphabet. */
  readonly password: string
  readonly permissions?: NatsPermissions
}

export type NatsPermissions = { readonly publish: SubjectRule; readonly subscribe: SubjectRule }
export type SubjectRule = { readonly allow: readonly string[]; readonly deny?: readonly string[] }

export const natsServices = ['user', 'auth', 'notification'] as const
export type NatsUserName = (typeof natsServices)[number] | 'subscriber'

/**
 * One user per service, and one for outside subscribers. A service publishes its own events and nudges only (`gatehouse.<service>.…`),
 * makes streams and consumers, and can neither delete nor empty what is stored; a subscriber cannot touch streams at all. Nobody touches the
 * durable of another service.
 */
export function natsServiceUsers(passwords: Readonly<Record<NatsUserName, string>>): NatsUser[] {
  const services = natsServices.map((name) => ({ name, password: passwords[name], permissions: ofService(name) }))
  return [...services, { name: 'subscriber', password: passwords.subscriber, permissions: ofSubscriber }]
}

const consume = [
  '$JS.API.INFO',
  '$JS.API.STREAM.INFO.*',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.CONSUMER.>',
  '$JS.ACK.>',
  '$JS.FC.>',
]

/** A durable has its service's name, and one beside it while new kinds are caught up with: whoever else asks for its messages takes them away, and can pause or delete it. */
const consumersOf = (service: string): string[] =>
  [service, `${service}-catch-up`].flatMap((durable) => [
    `$JS.API.CONSUMER.*.*.${durable}`,
    `$JS.API.CONSUMER.*.*.${durable}.>`,
    `$JS.API.CONSUMER.*.*.*.${durable}`,
    `$JS.ACK.*.${durable}.>`,
  ])

const ofService = (name: string): NatsPermissions => ({
  publish: {
    deny: natsServices.filter((other) => other !== name).flatMap(consumersOf),
    allow: [
      `gatehouse.${name}.>`,
      ...consume,
      '$JS.API.STREAM.CREATE.*',
      '$JS.API.STREAM.UPDATE.*',
      '$JS.API.STREAM.MSG.GET.*',
      '$JS.API.DIRECT.GET.>',
    ],
  },
  subscribe: { allow: ['_INBOX.>', 'gatehouse.>'] },
})

const ofSubscriber: NatsPermissions = {
  publish: { allow: consume, deny: natsServices.flatMap(consumersOf) },
  subscribe: { allow: ['_INBOX.>', 'gatehouse.*.v1.>'] },
}
