import type { MigrationSet } from '@gatehouse/postgres'
import * as accounts from './0001-accounts.ts'
import * as tenants from './0002-tenants.ts'
import * as sessions from './0003-sessions.ts'
import * as roles from './0004-roles.ts'
import * as vacuum from './0005-vacuum-often.ts'
import * as factors from './0006-factors.ts'
import * as access from './0007-access.ts'
import * as machines from './0008-machines.ts'
import * as audit from './0009-audit.ts'
import * as policies from './0010-policies.ts'
import * as passwords from './0011-passwords.ts'
import * as suspicion from './0012-suspicion.ts'
import * as afterLockDown from './0013-after-a-lock-down.ts'
import * as oidc from './0014-oidc.ts'
import * as connections from './0015-connections.ts'
import * as sessionsThatExpire from './0016-sessions-that-expire.ts'

/** The tables of the auth service. */
export const migrations: MigrationSet = {
  name: 'auth',
  migrations: [
    { id: '0001-accounts', up: accounts.up },
    { id: '0002-tenants', up: tenants.up },
    { id: '0003-sessions', up: sessions.up },
    { id: '0004-roles', up: roles.up },
    { id: '0005-vacuum-often', up: vacuum.up },
    { id: '0006-factors', up: factors.up },
    { id: '0007-access', up: access.up },
    { id: '0008-machines', up: machines.up },
    { id: '0009-audit', up: audit.up },
    { id: '0010-policies', up: policies.up },
    { id: '0011-passwords', up: passwords.up },
    { id: '0012-suspicion', up: suspicion.up },
    { id: '0013-after-a-lock-down', up: afterLockDown.up },
    { id: '0014-oidc', up: oidc.up },
    { id: '0015-connections', up: connections.up },
    { id: '0016-sessions-that-expire', up: sessionsThatExpire.up },
  ],
  insertOnly: ['audit_entries', 'audit_seals', 'audit_checkpoints'],
}
