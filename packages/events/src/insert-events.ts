import { type ColumnTypes, rowsAsTable } from '@gatehouse/postgres'
import { type Expression, type RawBuilder, sql } from 'kysely'
import type { EventRow } from './add-event.ts'

const types: ColumnTypes<EventRow> = {
  tenant: 'text',
  id: 'uuid',
  type: 'text',
  subject: 'text',
  key: 'text',
  version: 'bigint',
  payload: 'bytea',
  traceparent: 'text',
}
const columns = Object.keys(types)

/**
 * The part of a statement that writes the events of the facts which the statement itself makes, so that neither is there without the other. `facts`
 * gives tenant and key of what was made, such as `selectFrom('made').select(['tenant', 'id as key'])`; rows of others are left out, and a fact whose
 * event is missing fails the statement. After it, nudge the relay.
 *
 * This is for facts whose version is known before they are written, as that of everything that is new. Where the statement makes the version, the
 * message has to wait for it: that is {@link addEvent}, in a transaction.
 */
export function insertEvents(
  arrayOf: <Column extends keyof EventRow>(column: Column) => RawBuilder<readonly EventRow[Column][]> | readonly EventRow[Column][],
  facts: Expression<{ tenant: string; key: string }>,
): RawBuilder<object> {
  return sql`(insert into outbox (${sql.raw(columns.join(', '))})
    select ${sql.raw(columns.map((column) => `event.${column}`).join(', '))}
    from (${facts}) as fact left join ${rowsAsTable('event', types, arrayOf)} on event.tenant = fact.tenant and event.key = fact.key)`
}
