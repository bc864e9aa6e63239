import { sql } from 'kysely'
import type { Db } from './schema.ts'

export interface WorkloadRow {
  readonly name: string
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly calls: readonly string[]
  readonly create_time: Date
  readonly update_time: Date
}

const columns = ['name', 'issuer', 'subject', 'audience', 'calls', 'create_time', 'update_time'] as const

export interface WorkloadInput {
  readonly name: string
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly calls: string[]
}

/** Undefined where issuer and subject are registered under another name. */
export async function putWorkload(tx: Db, row: WorkloadInput, time: Date): Promise<WorkloadRow | undefined> {
  const { name, ...values } = row
  const taken = await tx
    .selectFrom('workloads')
    .select('name')
    .where('issuer', '=', row.issuer)
    .where('subject', '=', row.subject)
    .where('name', '!=', name)
    .executeTakeFirst()
  if (taken) return undefined
  return await tx
    .insertInto('workloads')
    .values({ ...row, create_time: time, update_time: time })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...values, update_time: time }))
    .returning(columns)
    .executeTakeFirst()
}

/** Answers whether there was one. */
export async function deleteWorkload(tx: Db, name: string): Promise<boolean> {
  return (await tx.deleteFrom('workloads').where('name', '=', name).returning('name').executeTakeFirst()) !== undefined
}

/** By their names, from behind `after`; everybody without a limit. */
export async function listWorkloads(db: Db, which: { after?: string; limit?: number } = {}): Promise<WorkloadRow[]> {
  const { after = '', limit } = which
  return await db
    .selectFrom('workloads')
    .select(columns)
    .where('name', '>', after)
    .orderBy('name')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute()
}

/** Counts a change of the registry. Changes pass one after the other, and a reader sees the count with what it counts. */
export async function nextRegistryVersion(tx: Db): Promise<void> {
  await sql`insert into workload_registry (version) values (1) on conflict (singleton) do update set version = workload_registry.version + 1`.execute(
    tx,
  )
}

/** Empty before the first change. */
export async function registryVersion(db: Db): Promise<string> {
  const row = await db.selectFrom('workload_registry').select('version').executeTakeFirst()
  return row === undefined ? '0' : String(row.version)
}
