import {
  eventServices,
  type NatsRights,
  rightsOfService,
  rightsOfStreamKeeper,
  rightsOfSubscriber,
  streamKeeper,
} from '@gatehouse/events/nats-rights'

/** Who listens when nobody is named: an example that works. */
export const exampleSubscribers: readonly string[] = ['billing']

/** `password_of_user: "…"` is what `passwords.conf` has to say of the user `user`. */
export const passwordVariableOf = (user: string): string => `password_of_${user.replaceAll('-', '_')}`

/** The users of a cluster, in the notation of nats-server: one for each service, one who makes their streams, one for each outsider, and the operator of the cluster, who has no event. */
export function natsUsersFile(subscribers: readonly string[] = exampleSubscribers): string {
  for (const name of subscribers) refuseName(name)
  const services = eventServices.map((service) => userBlock(service, rightsOfService(service)))
  const outside = subscribers.map((name) => userBlock(name, rightsOfSubscriber(name)))
  return `${[
    `# Written by: npm run nats-users -- ${subscribers.join(' ')}`,
    '# Do not change it by hand: packages/events/src/nats-rights.ts is where the rights stand.',
    '',
    '# `password_of_user: "…"`, a line for each user: as it is, or as `nats server passwd` hashes it.',
    'include "passwords.conf"',
    '',
    'accounts {',
    '  GATEHOUSE {',
    '    jetstream: enabled',
    '    users: [',
    ...services.flat(),
    '      # Who makes and changes the streams: only what migrates connects as it.',
    ...userBlock(streamKeeper, rightsOfStreamKeeper),
    '      # Outside subscribers: one user for each team, which keeps its place in the streams under its own name.',
    ...outside.flat(),
    '    ]',
    '  }',
    '  SYS {',
    `    users: [{ user: operator, password: $${passwordVariableOf('operator')} }]`,
    '  }',
    '}',
    'system_account: SYS',
  ].join('\n')}\n`
}

/** A name stands in subjects and in the file: letters, digits and hyphens, and none that is taken. */
function refuseName(name: string): void {
  const taken = [...eventServices, streamKeeper, 'operator', 'subscriber']
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name) || taken.includes(name))
    throw new TypeError(`${name} cannot be a subscriber: lower-case letters, digits and hyphens, and none of ${taken.join(', ')}`)
}

function userBlock(user: string, { publish, subscribe }: NatsRights): string[] {
  return [
    `      { user: ${user}, password: $${passwordVariableOf(user)}, permissions: {`,
    '        publish: { allow: [',
    ...publish.map((subject) => `          "${subject}"`),
    '        ] }',
    `        subscribe: { allow: [${subscribe.map((subject) => `"${subject}"`).join(', ')}] } } }`,
  ]
}
