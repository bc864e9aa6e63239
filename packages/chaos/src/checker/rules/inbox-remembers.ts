import type { Rule } from '../evidence.ts'

/** Which service takes which events of which other one. */
const taken = [
  { by: 'auth', from: 'user', types: ['UserInvited', 'UserSuspended', 'UserDeleted'] },
  { by: 'notification', from: 'user', types: ['UserCreated', 'UserDeleted'] },
  {
    by: 'notification',
    from: 'auth',
    types: [
      'EmailVerificationRequested',
      'PasswordResetRequested',
      'EmailSignInRequested',
      'InvitationRequested',
      'EmailChangeRequested',
      'EmailChanged',
      'PasswordChanged',
      'RefreshTokenReused',
      'SignedIn',
      'SuspiciousActivity',
    ],
  },
] as const

/** Each event that a service has taken is remembered there: without that the next delivery would act again. */
export const inboxRemembers: Rule = {
  name: 'inbox-remembers',
  sentence: 'every consumer remembers every event that it was told',
  *contradictions(evidence) {
    for (const { by, from, types } of taken) {
      const remembered = new Set(evidence[by].inbox.map(({ event_id }) => event_id))
      const wanted: readonly string[] = types
      for (const { id, type } of evidence[from].outbox)
        if (wanted.includes(type.slice(type.lastIndexOf('.') + 1)) && !remembered.has(id)) yield `${by} does not remember ${type} ${id}`
    }
  },
}
