import { Lease } from '@gatehouse/events'
import { connect, type Database, transact } from '@gatehouse/postgres'
import { audit } from '../src/core/audit/audit.ts'
import { sealEntries } from '../src/core/audit/seal-entries.ts'
import type { Db } from '../src/core/deps.ts'
import type { Schema } from '../src/store/schema.ts'

/** Audits acts of a kind that nothing else in the tests has, in one transaction each. */
export async function act(db: Db, tenant: string, ...subjects: readonly string[]): Promise<void> {
  for (const subjectId of subjects)
    await transact(db, (tx) => audit(tx, { tenant, kind: 'test', subjectId, details: { zeta: 'last', alpha: 'first' } }))
}

/** Seals whatever waits, as the sealer would. */
export async function sealAll(db: Db): Promise<number> {
  const lease = new Lease(db, 'a test', 60_000, { table: 'audit_lease', name: 'sealer' })
  const epoch = await lease.takeOrKeep()
  if (epoch === undefined) throw new Error('another sealer is at work')
  let count = 0
  for (let sealed: number | 'fenced' = 1; sealed !== 0; count += sealed) {
    sealed = await sealEntries(db, epoch)
    if (sealed === 'fenced') throw new Error('the lease is lost')
  }
  await lease.release()
  return count
}

/** The tables as a superuser sees them, who may do everything to them. */
export function asSuperuser(adminUrl: string): Database<Schema> {
  const url = new URL(adminUrl)
  url.searchParams.set('options', '-csearch_path=gatehouse_auth')
  return connect<Schema>({ url: url.href, poolSize: 2, namedStatements: false })
}
