import type { Insertable, Selectable } from 'kysely'
import type { Db, RefreshKeysTable } from './schema.ts'

export type RefreshKeyRow = Selectable<RefreshKeysTable>

export async function insertRefreshKey(tx: Db, row: Insertable<RefreshKeysTable>): Promise<void> {
  await tx.insertInto('refresh_keys').values(row).execute()
}

/** All versions, the newest last. */
export async function listRefreshKeys(db: Db, tenant: string): Promise<RefreshKeyRow[]> {
  return await db
    .selectFrom('refresh_keys')
    .select(['tenant', 'version', 'secret', 'create_time'])
    .where('tenant', '=', tenant)
    .orderBy('version')
    .execute()
}

export async function replaceSealedRefreshKey(tx: Db, key: { tenant: string; version: number }, box: Uint8Array): Promise<void> {
  await tx.updateTable('refresh_keys').set({ secret: box }).where('tenant', '=', key.tenant).where('version', '=', key.version).execute()
}
