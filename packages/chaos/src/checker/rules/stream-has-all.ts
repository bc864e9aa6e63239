import type { Rule } from '../evidence.ts'

const services = ['user', 'auth', 'notification'] as const

/** What the outbox says was published is in the stream, once; and nothing else is. */
export const streamHasAll: Rule = {
  name: 'stream-has-all',
  sentence: 'every committed event is in its stream once, and no other',
  *contradictions(evidence) {
    // A replay of more than two minutes ago finds a stream that has forgotten the ids; the consumers' inboxes remember.
    const replayed = evidence.faults.some(({ fault }) => fault.startsWith('nats store'))
    for (const service of services) {
      const stored = Map.groupBy(
        evidence.stream.filter((event) => event.service === service),
        ({ id }) => id,
      )
      const rows = evidence[service].outbox
      for (const { id, type, published } of rows) {
        const copies = stored.get(id)?.length ?? 0
        if (copies === 0)
          yield `${type} ${id} is in the outbox of ${service} (${published ? 'as published' : 'unpublished'}) and not in the stream`
        if (copies > 1 && !replayed) yield `${type} ${id} is in the stream ${copies} times`
      }
      const known = new Set(rows.map(({ id }) => id))
      for (const [id, [event]] of stored) if (!known.has(id)) yield `${event?.type} ${id} is in the stream and was never committed`
    }
  },
}
