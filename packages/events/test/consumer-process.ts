import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect } from '@gatehouse/postgres'
import { type Kysely, sql, type Transaction } from 'kysely'
import { connectNats, defineConsumer, type Envelope, startConsumers } from '../src/index.ts'

/** Handles the events of one tenant, and dies by itself between its first commit and the acknowledgement. */
const [databaseUrl = '', natsUrl = '', name = ''] = process.argv.slice(2)
const db: Kysely<unknown> = connect<unknown>({ url: databaseUrl }).kysely
const handle = async (tx: Transaction<unknown>, _message: unknown, { id, tenant, key, version }: Envelope): Promise<void> => {
  if (tenant !== name) return
  await sql`insert into effects (consumer, tenant, key, version, event_id) values (${name}, ${tenant}, ${key}, ${version}, ${id})`.execute(
    tx,
  )
}
// Runs in the same turn as the acknowledgement, which is then still in this process.
const committed = (_message: unknown, { tenant }: Envelope): void => {
  if (tenant === name) process.kill(process.pid, 'SIGKILL')
}
const consumers = [UserCreatedSchema, UserUpdatedSchema].map((event) => defineConsumer({ event, handle, committed }))
startConsumers({ nats: connectNats({ url: natsUrl, name }), db, service: name, consumers, concurrency: 1 })
