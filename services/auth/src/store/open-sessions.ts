import { type EventRow, insertEvents } from '@gatehouse/events'
import { type ColumnTypes, compiledOnce, rowsAsTable, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { insertAuditEntries, type NewAuditEntry, waitForSeals } from './audit-entries.ts'
import { rolesOf } from './role-bindings.ts'
import type { Db } from './schema.ts'
import { type SeenBefore, seenBefore, withNetworks } from './seen-before.ts'
import type { SessionRow } from './sessions.ts'

/** A session that opens if the person's password and epoch are still the ones that were checked, with its first refresh token, its event and its entry. */
export interface Opening {
  readonly session: SessionRow
  readonly tokenHash: Uint8Array
  readonly event: EventRow
  /** For the audit log; its session is the one that opens. */
  readonly entry: NewAuditEntry
  readonly epoch: number
  readonly credentialVersion: number
}

type Asked = Omit<SessionRow, 'amr' | 'end_time' | 'end_cause'> & {
  amr: string
  token_hash: Uint8Array
  epoch: number
  credential_version: number
}

const types: ColumnTypes<Asked> = {
  tenant: 'text',
  id: 'uuid',
  user_id: 'uuid',
  client_id: 'text',
  create_time: 'timestamptz',
  last_use_time: 'timestamptz',
  idle_expire_time: 'timestamptz',
  expire_time: 'timestamptz',
  auth_time: 'timestamptz',
  amr: 'text',
  user_agent: 'text',
  network: 'text',
  version: 'integer',
  generation: 'integer',
  token_hash: 'bytea',
  epoch: 'integer',
  credential_version: 'integer',
}
const plain = [
  'tenant',
  'id',
  'user_id',
  'client_id',
  'create_time',
  'last_use_time',
  'idle_expire_time',
  'expire_time',
  'auth_time',
  'user_agent',
  'network',
  'version',
  'generation',
] as const

type Args = { readonly asked: readonly Asked[]; readonly events: readonly EventRow[]; readonly entries: readonly NewAuditEntry[] }

/**
 * One statement for sessions, refresh tokens, events and entries of the audit log. It holds the epochs' rows from before it looks at them until it commits: an end of all
 * sessions is seen by it, or sees what it opened. Epochs are held in the order of their keys, so that two statements never wait for each other. With the epoch goes where the
 * person signs in from, of those too that may not open: their password was right.
 */
const open = compiledOnce((db: Db, value: Value<Args>) =>
  db
    .with('asked', (cte) =>
      cte.selectFrom(rowsAsTable('asked', types, (column) => value(({ asked }) => asked.map((each) => each[column])))).selectAll(),
    )
    .with('held', (cte) =>
      cte
        .insertInto('session_epochs')
        .columns(['tenant', 'user_id', 'epoch', 'networks'])
        .expression((from) =>
          from
            .selectFrom('asked')
            .select(['tenant', 'user_id', sql.lit(0).as('epoch'), sql<string[]>`array_agg(distinct network)`.as('networks')])
            .groupBy(['tenant', 'user_id'])
            .orderBy('tenant')
            .orderBy('user_id'),
        )
        .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet({ networks: withNetworks }))
        .returning(['tenant', 'user_id', 'epoch']),
    )
    .with('allowed', (cte) =>
      cte
        .selectFrom('asked')
        .innerJoin('held', (join) =>
          join
            .onRef('held.tenant', '=', 'asked.tenant')
            .onRef('held.user_id', '=', 'asked.user_id')
            .onRef('held.epoch', '=', 'asked.epoch'),
        )
        .innerJoin('credentials', (join) =>
          join
            .onRef('credentials.tenant', '=', 'asked.tenant')
            .onRef('credentials.user_id', '=', 'asked.user_id')
            .onRef('credentials.version', '=', 'asked.credential_version'),
        )
        .selectAll('asked'),
    )
    .with('opened', (cte) =>
      cte
        .insertInto('sessions')
        .columns([...plain, 'amr'])
        .expression((from) => from.selectFrom('allowed').select([...plain, sql<string[]>`amr::text[]`.as('amr')]))
        .returning(['tenant', 'id', 'user_id', 'network', 'create_time']),
    )
    .with('tokens', (cte) =>
      cte
        .insertInto('refresh_tokens')
        .columns(['tenant', 'token_hash', 'session_id', 'create_time'])
        .expression((from) => from.selectFrom('allowed').select(['tenant', 'token_hash', 'id', 'create_time'])),
    )
    .with('told', (cte) =>
      insertEvents(
        (column) => value(({ events }) => events.map((event) => event[column])),
        cte.selectFrom('opened').select(['tenant', sql<string>`id::text`.as('key')]),
      ),
    )
    .with('audited', (cte) =>
      insertAuditEntries(
        (column) => value(({ entries }) => entries.map((entry) => entry[column])),
        cte.selectFrom('opened').select(['tenant', sql<string>`id::text`.as('session')]),
      ),
    )
    .with('waiting', (cte) => waitForSeals(cte.selectFrom('audited').select(['tenant', 'id'])))
    .selectFrom('opened')
    .select(['id', rolesOf('opened.tenant', 'opened.user_id').as('roles'), seenBefore('opened').as('seen')]),
)

/** The password or the epoch is not the one that was checked. */
export const notOpened = 'not opened'

/** Of a session that was opened. */
export interface OpenedRow {
  /** Of the person, as they are at that moment. */
  readonly roles: readonly string[]
  readonly seen: SeenBefore
}

/** What each session that was opened came to; of one that was not, nothing is written. */
export async function openSessions(db: Db, openings: readonly Opening[]): Promise<(OpenedRow | typeof notOpened)[]> {
  const rows = await open(db, {
    asked: openings.map(askedOf),
    events: openings.map(({ event }) => event),
    entries: openings.map(({ entry }) => entry),
  })
  const opened = new Map(rows.map(({ id, ...row }) => [id, row]))
  return openings.map(({ session }) => opened.get(session.id) ?? notOpened)
}

// An array of arrays has one length for all: each session's goes as its own literal.
const askedOf = ({ session, tokenHash, epoch, credentialVersion }: Opening): Asked => ({
  ...session,
  amr: `{${session.amr.join(',')}}`,
  token_hash: tokenHash,
  epoch,
  credential_version: credentialVersion,
})
