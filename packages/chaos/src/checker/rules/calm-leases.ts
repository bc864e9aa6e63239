import type { Rule } from '../evidence.ts'

const services = ['user', 'auth', 'notification'] as const

/** A lease changes hands when its holder is away, and at no other time. */
export const calmLeases: Rule = {
  name: 'calm-leases',
  sentence: 'a lease changes hands only when its holder is away',
  *contradictions(evidence) {
    const { faults } = evidence
    for (const service of services) {
      const reasons = faults.filter(({ fault }) => fault.includes(`${service}.`) || !fault.includes('.')).length
      const { epoch } = evidence[service]
      if (epoch > 3 + 2 * reasons) yield `the lease of ${service} changed hands ${epoch} times, and there were ${reasons} reasons`
    }
  },
}
