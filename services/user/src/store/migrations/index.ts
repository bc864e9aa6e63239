import type { MigrationSet } from '@gatehouse/postgres'
import { up as users } from './0001-users.ts'
import { up as pendingRevocations } from './0002-pending-revocations.ts'
import { up as usersByName } from './0003-users-by-name.ts'
import { up as sparingLaterSessions } from './0004-revocations-spare-later-sessions.ts'

export const migrations: MigrationSet = {
  name: 'user',
  migrations: [
    { id: '0001-users', up: users },
    { id: '0002-pending-revocations', up: pendingRevocations },
    { id: '0003-users-by-name', up: usersByName },
    { id: '0004-revocations-spare-later-sessions', up: sparingLaterSessions },
  ],
}
