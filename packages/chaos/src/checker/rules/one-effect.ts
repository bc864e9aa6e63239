import type { Evidence, Rule } from '../evidence.ts'

/** What consumers made of events: of each exactly one. Of the deleted nothing is asked, because their effects are forgotten with them. */
export const oneEffect: Rule = {
  name: 'one-effect',
  sentence: 'every event has its effect exactly once',
  *contradictions(evidence) {
    yield* invitations(evidence)
    yield* mails(evidence)
    yield* inboxItems(evidence)
    yield* endedSessions(evidence)
  },
}

const gone = ({ user }: Evidence) => new Set(user.users.filter(({ state }) => state === 'deleted').map(({ id }) => id))
const ofType = (rows: Evidence['user']['outbox'], name: string) => rows.filter(({ type }) => type.endsWith(`.${name}`))

function* invitations(evidence: Evidence): Generator<string> {
  const deleted = gone(evidence)
  const opened = Map.groupBy(
    evidence.auth.challenges.filter(({ kind }) => kind === 'invitation'),
    ({ user_id }) => user_id ?? '',
  )
  for (const { key } of ofType(evidence.user.outbox, 'UserInvited')) {
    const count = opened.get(key)?.length ?? 0
    if (count !== 1 && !(deleted.has(key) && count === 0)) yield `the invitation of ${key} opened ${count} challenges`
  }
}

function* mails({ auth, notification }: Evidence): Generator<string> {
  const written = Map.groupBy(notification.notifications, ({ challenge_id }) => challenge_id ?? '')
  // Suspicious activity that nobody is asked about has no challenge.
  const lockDowns = new Set(auth.challenges.filter(({ kind }) => kind === 'lock_down').map(({ id }) => id))
  const asked = Map.groupBy(
    auth.outbox.filter(({ type, key }) => /\.(\w+Requested|EmailChanged)$/.test(type) || lockDowns.has(key)),
    ({ key }) => key,
  )
  for (const [challenge, events] of asked) {
    const count = written.get(challenge)?.length ?? 0
    if (count !== events.length) yield `challenge ${challenge} asked for ${events.length} mails, and ${count} were written`
  }
}

function* inboxItems(evidence: Evidence): Generator<string> {
  const deleted = gone(evidence)
  const items = Map.groupBy(evidence.notification.inbox_items, ({ user_id, kind }) => `${user_id} ${kind}`)
  const personOf = new Map(evidence.auth.sessions.map(({ id, user_id }) => [id, user_id]))
  const welcomes = ofType(evidence.user.outbox, 'UserCreated').map(({ key }) => key)
  const signedIn = ofType(evidence.auth.outbox, 'SignedIn').map(({ key }) => personOf.get(key) ?? '')
  for (const [kind, people] of [
    ['welcome', welcomes],
    ['signed_in', signedIn],
  ] as const) {
    for (const [id, events] of Map.groupBy(people, (person) => person)) {
      const count = items.get(`${id} ${kind}`)?.length ?? 0
      if (count !== events.length && !deleted.has(id)) yield `${id} was to find ${events.length} items ${kind}, and finds ${count}`
    }
  }
}

function* endedSessions(evidence: Evidence): Generator<string> {
  const deleted = gone(evidence)
  for (const { id, user_id, ended } of evidence.auth.sessions)
    if (deleted.has(user_id) && !ended) yield `session ${id} of the deleted ${user_id} goes on`
  for (const user_id of evidence.auth.credentials.map((row) => row.user_id))
    if (deleted.has(user_id)) yield `the deleted ${user_id} has a password`
}
