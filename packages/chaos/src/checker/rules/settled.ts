import type { Rule } from '../evidence.ts'

const services = ['user', 'auth', 'notification'] as const

/** When everything works again nothing waits for ever, nothing was put aside, and nobody fell over without being pushed. */
export const settled: Rule = {
  name: 'settled',
  sentence: 'after the faults everything is caught up with, nothing is put aside, and no service has ended by itself',
  *contradictions(evidence) {
    yield* evidence.unsettled
    yield* evidence.troubles
    for (const service of services)
      for (const { event_id, type, reason } of evidence[service].dead_letters)
        yield `${type} ${event_id} is a dead letter of ${service}: ${reason}`
  },
}
