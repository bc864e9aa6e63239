import { acknowledged, type Operation } from '../../history.ts'
import type { Evidence, Rule } from '../evidence.ts'

/** A write whose answer somebody got has its row, and the event of the version that the answer named. */
export const acknowledgedWrites: Rule = {
  name: 'acknowledged-writes',
  sentence: 'every acknowledged write has its row and its event',
  *contradictions(evidence) {
    const has = lookup(evidence)
    for (const operation of evidence.operations) {
      const result = acknowledged(operation)
      const missing = result && missingOf(operation, result, has)
      if (missing) yield `${operation.op} of ${operation.worker} (${operation.id}) was acknowledged, and ${missing}`
    }
  },
}

type Result = Readonly<Record<string, string | number>>
type Lookup = ReturnType<typeof lookup>

function lookup({ user, auth, notification }: Evidence) {
  return {
    people: new Map(user.users.map((row) => [row.id, row])),
    events: new Set(
      [...user.outbox, ...auth.outbox, ...notification.outbox].map(({ type, key, version }) => `${typeName(type)} ${key} ${version}`),
    ),
    versions: new Set(user.outbox.map(({ key, version }) => `${key} ${version}`)),
    states: Map.groupBy(
      user.outbox
        .map(({ type, key, version }) => ({ type: typeName(type), key, version }))
        .filter(({ type }) => type === 'UserSuspended' || type === 'UserReactivated')
        .toSorted((a, b) => a.version - b.version),
      ({ key }) => key,
    ),
    challenges: new Set([...auth.challenges.map(({ id }) => id), ...auth.outbox.map(({ key }) => key)]),
    sessions: new Map(auth.sessions.map((row) => [row.id, row])),
    credentials: new Set(auth.credentials.map(({ user_id }) => user_id)),
    notifications: new Set(notification.notifications.map(({ id }) => id)),
  }
}

/** Whether a change of state found it made already, by what was told until the version that it answered. */
function hasNothingToDo(op: string, { id, version }: Result, { states }: Lookup): boolean {
  if (op !== 'suspend-user' && op !== 'reactivate-user') return false
  const before = (states.get(String(id)) ?? []).filter((told) => told.version <= Number(version))
  return (before.at(-1)?.type === 'UserSuspended') === (op === 'suspend-user')
}

const typeName = (type: string): string => type.slice(type.lastIndexOf('.') + 1)

const eventOf: Readonly<Record<string, string>> = {
  'create-user': 'UserInvited',
  'update-user': 'UserUpdated',
  'suspend-user': 'UserSuspended',
  'reactivate-user': 'UserReactivated',
}

function missingOf({ op, args }: Operation, result: Result, has: Lookup): string | undefined {
  switch (op) {
    case 'create-user':
    case 'update-user':
    case 'suspend-user':
    case 'reactivate-user': {
      const row = has.people.get(String(result.id))
      if (!row) return 'the person is not there'
      if (row.version < Number(result.version)) return `the person has version ${row.version}, and ${result.version} was answered`
      if (row.version === result.version && row.name !== result.name)
        return `the person is called "${row.name}", and "${result.name}" was answered`
      if (has.events.has(`${eventOf[op]} ${result.id} ${result.version}`)) return undefined
      // Who is what they are to become is answered as they are: the suspension before may never have been carried out.
      if (has.versions.has(`${result.id} ${result.version}`) && hasNothingToDo(op, result, has)) return undefined
      return `no event tells version ${result.version}`
    }
    case 'delete-user':
      return has.people.get(String(args.id))?.state === 'deleted' ? undefined : 'the person is not deleted'
    case 'sign-up':
      return has.challenges.has(String(result.challengeId)) ? undefined : `there is no challenge ${result.challengeId}`
    case 'verify-email':
    case 'sign-in': {
      if (!has.people.has(String(result.userId))) return 'the person is not there'
      if (!has.sessions.has(String(result.sessionId))) return `there is no session ${result.sessionId}`
      return has.events.has(`SignedIn ${result.sessionId} 1`) ? undefined : 'no event tells it'
    }
    case 'sign-out':
      return has.sessions.get(String(args.sessionId))?.ended === false ? 'the session goes on' : undefined
    case 'send-notification':
      return has.notifications.has(String(result.id)) ? undefined : `there is no notification ${result.id}`
    default:
      return undefined
  }
}
