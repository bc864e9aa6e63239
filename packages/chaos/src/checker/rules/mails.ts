import type { Rule } from '../evidence.ts'

/** Every mail is a delivery of ours and every delivery that is told as delivered was taken; twice only where somebody died with it, or the database to which it was to be told, and then under its Message-ID. */
export const mails: Rule = {
  name: 'mails',
  sentence: 'every delivered mail was taken by the mail server, and a notification has one Message-ID',
  *contradictions(evidence) {
    const { deliveries } = evidence.notification
    const known = new Map(deliveries.map((row) => [row.id, row]))
    const taken = Map.groupBy(evidence.mails, ({ deliveryId }) => deliveryId)
    for (const [id, copies] of taken) {
      if (!known.has(id)) yield `a mail to ${copies[0]?.to} has the Message-ID ${id}, which is no delivery`
    }
    for (const { id, state } of deliveries)
      if (state === 'delivered' && !taken.has(id)) yield `delivery ${id} is told as delivered, and no mail server took it`
    const workersDied = evidence.faults.some(({ fault }) => /notification|primary/.test(fault))
    if (workersDied) return
    for (const [id, copies] of taken) if (copies.length > 1) yield `mail ${id} was sent ${copies.length} times, and nobody had died`
  },
}
