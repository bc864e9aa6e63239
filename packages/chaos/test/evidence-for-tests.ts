import type { Evidence } from '../src/checker/evidence.ts'

const event = (id: string, type: string, key: string, version = 1) => ({ tenant: 'default', id, type, key, version, published: true })

/** What is left of one invited person and one who signed in, when all went well. */
export function allIsWell(): Evidence {
  const user = [event('e1', 'gatehouse.user.v1.UserInvited', 'invited'), event('e2', 'gatehouse.user.v1.UserCreated', 'ada')]
  const auth = [event('e3', 'gatehouse.auth.v1.InvitationRequested', 'c1'), event('e4', 'gatehouse.auth.v1.SignedIn', 's1')]
  const service = { requests: [], dead_letters: [], inbox: [], epoch: 1 }
  const answered = (result: Record<string, string | number>) => [{ invoked: 0, answered: 1, outcome: { kind: 'done', result } as const }]
  return {
    operations: [
      {
        worker: 'w',
        op: 'create-user',
        id: 'r1',
        args: { email: 'i@example.com' },
        attempts: answered({ id: 'invited', version: 1, name: 'I' }),
      },
      { worker: 'w', op: 'sign-in', id: 'r2', args: {}, attempts: answered({ userId: 'ada', sessionId: 's1', next: 'n1' }) },
      { worker: 'w', op: 'read-user', id: 'r3', args: { id: 'invited', atLeast: 1 }, attempts: answered({ version: 1 }) },
      { worker: 'w', op: 'refresh', id: 't1', args: { sessionId: 's1', token: 't1' }, attempts: answered({ sessionId: 's1', next: 't2' }) },
    ],
    faults: [],
    user: {
      ...service,
      outbox: user,
      requests: [{ method: 'CreateUser', request_id: 'r1', result_id: 'invited' }],
      users: [
        { id: 'invited', version: 1, state: 'invited', email: 'i@example.com', name: 'I' },
        { id: 'ada', version: 1, state: 'active', email: 'ada@example.com', name: 'Ada' },
      ],
    },
    auth: {
      ...service,
      outbox: auth,
      inbox: [{ event_id: 'e1', consumer: 'auth' }],
      challenges: [{ id: 'c1', kind: 'invitation', user_id: 'invited', mail_count: 1 }],
      sessions: [{ id: 's1', user_id: 'ada', version: 1, ended: false, end_cause: null }],
      credentials: [{ user_id: 'ada' }],
      refresh_tokens: [
        { token: 't1', session_id: 's1', used: true, successor: 't2' },
        { token: 't2', session_id: 's1', used: false, successor: null },
      ],
    },
    notification: {
      ...service,
      outbox: [event('e5', 'gatehouse.notification.v1.NotificationDelivered', 'n1')],
      inbox: ['e2', 'e3', 'e4'].map((event_id) => ({ event_id, consumer: 'notification' })),
      notifications: [{ id: 'n1', template: 'accept_invitation', user_id: null, challenge_id: 'c1' }],
      deliveries: [{ id: 'd1', notification_id: 'n1', state: 'delivered', version: 1 }],
      inbox_items: [
        { user_id: 'ada', kind: 'welcome', sequence: 1 },
        { user_id: 'ada', kind: 'signed_in', sequence: 2 },
      ],
    },
    stream: [
      ...user.map((each, i) => ({ ...each, service: 'user', sequence: i + 1 })),
      ...auth.map((each, i) => ({ ...each, service: 'auth', sequence: i + 1 })),
      { ...event('e5', 'gatehouse.notification.v1.NotificationDelivered', 'n1'), service: 'notification', sequence: 1 },
    ],
    publications: [
      { id: 'e1', service: 'user', publisher: 'p1', time: 1 },
      { id: 'e2', service: 'user', publisher: 'p1', time: 2 },
    ],
    mails: [{ deliveryId: 'd1', to: 'i@example.com' }],
    unsettled: [],
    troubles: [],
  }
}
