import { connect } from '@gatehouse/postgres'
import { connectNats, createRelay } from '../src/index.ts'

/** A relay in a process of its own, to be frozen or killed. */
const [databaseUrl = '', natsUrl = ''] = process.argv.slice(2)
const database = connect<unknown>({ url: databaseUrl })
const nats = connectNats({ url: natsUrl, name: 'relay-process' })
createRelay({ db: database.kysely, nats, service: 'user', pollMs: 5, leaseMs: 500, batchSize: 20 })
