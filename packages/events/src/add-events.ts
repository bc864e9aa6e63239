import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { copyRows, type Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { eventRow } from './add-event.ts'

const outbox = { table: 'outbox', columns: ['tenant', 'id', 'type', 'subject', 'key', 'version', 'payload', 'traceparent', 'create_time'] }

/**
 * Writes many events of one kind into the outbox with COPY, in the transaction of the facts that they tell: what addEvent() does, for a bulk load.
 * Each message carries its aggregate's `version`. Throws TypeError for a message that the contract does not declare as an event.
 */
export async function addEvents<Desc extends DescMessage>(
  tx: Executor,
  { schema, tenant, messages }: { schema: Desc; tenant: string; messages: Iterable<MessageShape<Desc> & { readonly version: bigint }> },
): Promise<number> {
  // One time for all: COPY gives up its fast path for a column whose default it would have to ask for row by row.
  const { rows: clock } = await sql<{ now: string }>`select clock_timestamp()::text as now`.execute(tx)
  const now = clock[0]?.now ?? null
  function* rows() {
    for (const message of messages) {
      const row = eventRow({ schema, message, tenant, version: message.version })
      yield [row.tenant, row.id, row.type, row.subject, row.key, row.version, row.payload, row.traceparent, now]
    }
  }
  return await copyRows(tx, outbox, rows())
}
