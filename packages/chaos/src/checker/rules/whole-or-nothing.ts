import type { EventRow, Evidence, Rule } from '../evidence.ts'

/** Whatever anybody knows of it: each version of everything that has versions has exactly one event, and no event is about what is not there. */
export const wholeOrNothing: Rule = {
  name: 'whole-or-nothing',
  sentence: 'each write has all of its rows or none, and one event for each version',
  *contradictions({ user, auth, notification }: Evidence) {
    yield* versionsOf('person', new Map(user.users.map(({ id, version }) => [id, version])), user.outbox)
    const ofSessions = auth.outbox.filter(({ type }) => /\.(SignedIn|SessionRaised|SessionRevoked|RefreshTokenReused)$/.test(type))
    yield* versionsOf('session', new Map(auth.sessions.map(({ id, version }) => [id, version])), ofSessions)
    const mails = Map.groupBy(auth.outbox, ({ key }) => key)
    for (const { id, mail_count } of auth.challenges) {
      const told = mails.get(id)?.length ?? 0
      if (told !== mail_count) yield `challenge ${id} asked for ${mail_count} mails, and ${told} events tell it`
    }
    const deliveries = Map.groupBy(notification.deliveries, ({ notification_id }) => notification_id)
    for (const { id } of notification.notifications) {
      const current = deliveries.get(id)?.filter(({ state }) => state !== 'superseded').length ?? 0
      if (current !== 1) yield `notification ${id} has ${current} deliveries that are not superseded`
    }
  },
}

function* versionsOf(what: string, rows: ReadonlyMap<string, number>, events: readonly EventRow[]): Generator<string> {
  const told = Map.groupBy(events, ({ key }) => key)
  for (const [id, version] of rows) {
    const versions = (told.get(id) ?? []).map((event) => event.version).sort((a, b) => a - b)
    const wanted = Array.from({ length: version }, (_, i) => i + 1)
    if (versions.join() !== wanted.join())
      yield `${what} ${id} has version ${version}, and events tell versions ${versions.join() || 'none'}`
  }
  for (const [key, [event]] of told) if (!rows.has(key)) yield `${event?.type} ${event?.id} tells of ${what} ${key}, who is not there`
}
