import { eventServices, streamKeeper } from '@gatehouse/events/nats-rights'
import { applyStream } from '@gatehouse/events/stream'
import { connect } from '@nats-io/transport-node'
import type { NatsUser } from './nats-permissions.ts'

/** Makes the streams, as an operator does when a release is rolled out: with the user who may, if there is one. */
export async function makeStreams(port: number, users: readonly NatsUser[] | undefined, replicas = 1): Promise<void> {
  const keeper = users?.find(({ name, permissions }) => name === streamKeeper || permissions === undefined)
  if (users && !keeper) return
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    ...(keeper && { user: keeper.name, pass: keeper.password, inboxPrefix: `_INBOX.${keeper.name}` }),
  })
  try {
    await Promise.all(eventServices.map((service) => applyStream(connection, service, { replicas })))
  } finally {
    await connection.close()
  }
}
