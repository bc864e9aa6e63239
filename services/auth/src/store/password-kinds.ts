import { sql } from 'kysely'
import type { Db } from './schema.ts'

/** Notes kinds of hashes that are about from now on. */
export async function notePasswordKinds(db: Db, kinds: readonly string[], time: Date): Promise<void> {
  if (kinds.length === 0) return
  await db
    .insertInto('password_kinds')
    .values(kinds.toSorted().map((kind) => ({ kind, check_time: time })))
    .onConflict((conflict) => conflict.column('kind').doUpdateSet({ check_time: time }))
    .execute()
}

export async function listPasswordKinds(db: Db): Promise<readonly { kind: string; check_time: Date }[]> {
  return await db.selectFrom('password_kinds').select(['kind', 'check_time']).orderBy('kind').execute()
}

/** Forgets a kind that nobody has a hash of, or says that it was looked for. `prefix` is how its hashes begin. */
export async function checkPasswordKind(db: Db, { kind, prefix }: { kind: string; prefix: string }, time: Date): Promise<void> {
  const used = sql<boolean>`exists (select 1 from credentials where starts_with(password_hash, ${prefix}))`
  const { rows } = await sql<{ used: boolean }>`select ${used} as used`.execute(db)
  if (rows[0]?.used) await db.updateTable('password_kinds').set({ check_time: time }).where('kind', '=', kind).execute()
  // An import that brings it again says so before it writes its first hash.
  else await sql`delete from password_kinds where kind = ${kind} and check_time < ${time} and not ${used}`.execute(db)
}
