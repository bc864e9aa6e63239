import { catchUpOf, inboxPrefixOf, streamOf, subscriberOf } from './nats-names.ts'

/** What a user of NATS may publish to and subscribe to. What is not allowed is refused. */
export type NatsRights = { readonly publish: readonly string[]; readonly subscribe: readonly string[] }

/** Whose streams each service takes events from. */
export const eventSources = { user: [], auth: ['user'], notification: ['user', 'auth'] } as const satisfies Record<
  string,
  readonly string[]
>

export type EventService = keyof typeof eventSources

export const eventServices = Object.keys(eventSources) as readonly EventService[]

const api = '$JS.API'

/**
 * Everything that a service does, and nothing else: it tells its own events, and takes from the streams of its sources under its own name. It can neither make,
 * change, delete nor empty a stream, nor touch what another service or an outsider is remembered by.
 */
export function rightsOfService(service: EventService): NatsRights {
  const stream = streamOf(service)
  const own = [
    `gatehouse.${service}.v1.>`,
    // To the replica that publishes, and what the doctor finds the user's rights out with: no stream keeps them.
    `gatehouse.${service}.nudge`,
    `gatehouse.${service}.doctor`,
    // A replay looks for what the stream lacks.
    ...['INFO', 'MSG.GET'].map((act) => `${api}.STREAM.${act}.${stream}`),
  ]
  const taken = eventSources[service].flatMap((source) => [
    ...durable(streamOf(source), service),
    ...durable(streamOf(source), catchUpOf(service)),
    `${api}.CONSUMER.DELETE.${streamOf(source)}.${catchUpOf(service)}`,
  ])
  return { publish: [...own, ...taken], subscribe: [`${inboxPrefixOf(service)}.>`, `gatehouse.${service}.nudge`] }
}

/** Who makes and changes the streams when a release is rolled out, and is nobody's who serves: whoever may change a stream reads, and says, what any of them does. */
export const streamKeeper = 'streams'

export const rightsOfStreamKeeper: NatsRights = {
  publish: eventServices.flatMap((service) => ['INFO', 'CREATE', 'UPDATE'].map((act) => `${api}.STREAM.${act}.${streamOf(service)}`)),
  subscribe: [`${inboxPrefixOf(streamKeeper)}.>`],
}

/**
 * One kind of user for everybody outside: what `subscribe` does under these names, with this package or with any client that asks for its replies under
 * `_INBOX.<user>`. Outsiders see all events, which carry no personal data, and cannot touch a stream or each other's place in it.
 */
export function rightsOfSubscriber(user: string, names: readonly string[] = [user]): NatsRights {
  const streams = eventServices.map(streamOf)
  const durables = names.map(subscriberOf).flatMap((name) => [name, catchUpOf(name)])
  const each = streams.flatMap((stream) => [
    `${api}.STREAM.INFO.${stream}`,
    ...durables.flatMap((name) => [
      ...durable(stream, name),
      // Other clients ask in the newer way.
      `${api}.CONSUMER.CREATE.${stream}.${name}`,
      `${api}.CONSUMER.CREATE.${stream}.${name}.>`,
      `${api}.CONSUMER.DELETE.${stream}.${name}`,
    ]),
  ])
  return {
    publish: [`${api}.INFO`, `${api}.STREAM.NAMES`, ...each],
    subscribe: [`${inboxPrefixOf(user)}.>`, 'gatehouse.*.v1.>'],
  }
}

const durable = (stream: string, name: string): string[] => [
  ...['INFO', 'DURABLE.CREATE', 'MSG.NEXT'].map((act) => `${api}.CONSUMER.${act}.${stream}.${name}`),
  `$JS.ACK.${stream}.${name}.>`,
]
