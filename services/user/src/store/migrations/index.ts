import type { MigrationSet } from '@gatehouse/postgres'
import { up as users } from './0001-users.ts'
import { up as pendingRevocations } from './0002-pending-revocations.ts'

export const migrations: MigrationSet = {
  name: 'user',
  migrations: [
    { id: '0001-users', up: users },
    { id: '0002-pending-revocations', up: pendingRevocations },
  ],
}
