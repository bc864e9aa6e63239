import type { MigrationSet } from '@gatehouse/postgres'
import { up as notifications } from './0001-notifications.ts'
import { up as inbox } from './0002-inbox.ts'
import { up as pruneByIndex } from './0003-prune-by-index.ts'
import { up as traces } from './0004-traces.ts'

export const migrations: MigrationSet = {
  name: 'notification',
  migrations: [
    { id: '0001-notifications', up: notifications },
    { id: '0002-inbox', up: inbox },
    { id: '0003-prune-by-index', up: pruneByIndex },
    { id: '0004-traces', up: traces },
  ],
}
