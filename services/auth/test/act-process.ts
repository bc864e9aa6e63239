import { connect } from '@gatehouse/postgres'
import type { Schema } from '../src/store/schema.ts'
import { act } from './audit-scene.ts'

/** Audits acts one after the other, says which are committed, and waits to be killed. */
const [url = '', tenant = ''] = process.argv.slice(2)
const { kysely: db } = connect<Schema>({ url, poolSize: 1 })
for (let i = 1; ; i++) {
  await act(db, tenant, String(i))
  process.stdout.write(`${i}\n`)
}
