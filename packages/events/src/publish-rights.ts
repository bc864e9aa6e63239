import { setImmediate as turn } from 'node:timers/promises'
import { type NatsConnection, PermissionViolationError } from '@nats-io/nats-core'

/**
 * Those of the subjects that the connection's user may not publish to. An empty message goes to each of the others: subjects that no stream keeps and
 * nobody reads are the ones to ask about.
 */
export async function refusedSubjects(connection: NatsConnection, subjects: readonly string[]): Promise<ReadonlySet<string>> {
  const refused = new Set<string>()
  // Ends with the connection.
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError) refused.add(status.error.subject)
    }
  })()
  for (const subject of subjects) connection.publish(subject)
  // The server answers in order: whatever it refuses it has refused before the pong.
  await connection.flush()
  await turn()
  return refused
}
