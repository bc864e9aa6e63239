import { connect } from '@gatehouse/postgres'
import { type Check, type Finding, note, ok, wrong } from '@gatehouse/service'
import { sql } from 'kysely'
import type { AuthConfig } from './config.ts'
import { sealBacklog } from './core/audit/seal-backlog.ts'
import type { Schema } from './store/schema.ts'

/** The sealer looks every second. */
const lateSeconds = 60

const tables = ['audit_entries', 'audit_seals', 'audit_checkpoints'] as const

interface Rights {
  readonly name: string
  readonly owned: boolean
  readonly changes: boolean
}

/** Whether the audit log is there, is sealed, and is out of reach of the service that writes it. */
export function auditCheck(config: AuthConfig): Check {
  return async () => {
    await using database = connect<Schema>({
      url: config.databaseUrl,
      poolSize: 1,
      namedStatements: false,
      applicationName: 'gatehouse-auth-doctor',
    })
    const db = database.kysely
    const { rows } = await sql<Rights>`
      select relname as name, pg_has_role(relowner, 'member') as owned, has_table_privilege(oid, 'update, delete, truncate') as changes
      from pg_class where oid in (select to_regclass(name) from unnest(${[...tables]}::text[]) as asked (name))`.execute(db)
    const gone = tables.filter((table) => !rows.some(({ name }) => name === table))
    if (gone.length > 0)
      return [
        wrong(
          `the audit log is gone: there is no ${gone.join(', ')}, and nobody signs in`,
          'restore the database; find out who dropped it',
        ),
      ]
    const { entries, oldestSeconds } = await sealBacklog({ db })
    const late = `${entries} entries of the audit log wait for their seal, one for ${Math.floor(oldestSeconds)} s`
    return [
      ...rightsOf(rows, config.gatehouseMode),
      oldestSeconds > lateSeconds
        ? wrong(late, 'does auth run? One replica seals; its log says what keeps it from that')
        : ok('the audit log is there and sealed'),
    ]
  }
}

function rightsOf(rows: readonly Rights[], mode: AuthConfig['gatehouseMode']): Finding[] {
  const changed = rows.filter(({ changes }) => changes).map(({ name }) => name)
  if (changed.length > 0)
    return [
      wrong(`auth's role may change ${changed.join(', ')}`, 'gatehouse migrate auth takes those rights away; a superuser has them all'),
    ]
  // On one's own machine one role does both.
  if (mode === 'local' || !rows.some(({ owned }) => owned)) return []
  return [
    note(
      "auth's role owns the tables of the audit log, and could give itself the right to change them",
      'have gatehouse migrate run by another role: docs/operations.md, "The database"',
    ),
  ]
}
