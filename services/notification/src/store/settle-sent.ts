import { type EventRow, insertEvents } from '@gatehouse/events'
import { type ColumnTypes, compiledOnce, type Db, rowsAsTable, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { ClaimedDelivery } from './deliveries.ts'
import type { Schema } from './schema.ts'

/** A delivery that the mail server took, and the event that tells it: of the version that follows the claim. */
export interface SentDelivery {
  readonly delivery: Claimed
  readonly event: EventRow
}

type Claimed = Pick<ClaimedDelivery, 'tenant' | 'id' | 'claim' | 'version'>

const types: ColumnTypes<Claimed> = { tenant: 'text', id: 'uuid', claim: 'integer', version: 'integer' }

/** One statement for deliveries and their events. Whose lease was lost, or who changed since the claim, is left as it is, and nothing is told of it. */
const settle = compiledOnce((db: Db<Schema>, value: Value<readonly SentDelivery[]>) =>
  db
    .with('settled', (cte) =>
      cte
        .updateTable('deliveries as d')
        .from(rowsAsTable('sent', types, (column) => value((sent) => sent.map(({ delivery }) => delivery[column]))))
        .set(({ eb }) => ({ state: 'delivered', failure: '', data: null, version: eb('d.version', '+', 1), update_time: sql<Date>`now()` }))
        .whereRef('d.tenant', '=', 'sent.tenant')
        .whereRef('d.id', '=', 'sent.id')
        .whereRef('d.claim', '=', 'sent.claim')
        .whereRef('d.version', '=', 'sent.version')
        .where('d.state', '=', 'sending')
        .returning(['d.tenant', 'd.id', 'd.notification_id']),
    )
    .with('told', (cte) =>
      insertEvents(
        (column) => value((sent) => sent.map(({ event }) => event[column])),
        cte.selectFrom('settled').select(['tenant', sql<string>`notification_id::text`.as('key')]),
      ),
    )
    .selectFrom('settled')
    .select(['settled.tenant', 'settled.id']),
)

/** Ends deliveries that were sent and forgets what they said; answers for each whether this did it. */
export async function settleSent(db: Db<Schema>, sent: readonly SentDelivery[]): Promise<boolean[]> {
  const settled = new Set((await settle(db, sent)).map(keyOf))
  return sent.map(({ delivery }) => settled.has(keyOf(delivery)))
}

const keyOf = ({ tenant, id }: Pick<Claimed, 'tenant' | 'id'>): string => `${tenant} ${id}`
