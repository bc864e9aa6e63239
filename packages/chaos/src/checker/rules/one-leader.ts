import type { Rule } from '../evidence.ts'

const services = ['user', 'auth', 'notification'] as const

/**
 * What is new is published by whoever holds the lease: the publisher of new events changes with the epoch and not without it. What a fenced leader had
 * under way arrives late and is known by then. (A connection that is made anew counts as another publisher, so faults of the broker's links do too.)
 */
export const oneLeader: Rule = {
  name: 'one-leader',
  sentence: 'one relay publishes at a time, and one whose epoch is over publishes nothing new',
  *contradictions({ publications, faults, user, auth, notification }) {
    const epochs = { user: user.epoch, auth: auth.epoch, notification: notification.epoch }
    for (const service of services) {
      const published = new Set<string>()
      let holder = ''
      let changes = 0
      for (const { id, publisher } of publications.filter((each) => each.service === service)) {
        if (published.has(id)) continue
        published.add(id)
        if (publisher !== holder) changes++
        holder = publisher
      }
      const ofBroker = faults.filter(({ fault }) => fault.includes('nats') && (fault.includes(service) || !fault.includes('→'))).length
      // Each change of hands may be seen twice: the last of the old holder can arrive among the first of the new one.
      const most = 2 * epochs[service] + 2 * ofBroker
      if (changes > most) yield `the publisher of ${service} changed ${changes} times in ${epochs[service]} epochs`
    }
  },
}
