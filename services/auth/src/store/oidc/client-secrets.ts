import { type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { ClientKey } from './clients.ts'
import type { OidcClientSecretsTable } from './oidc-tables.ts'

export type ClientSecretRow = Selectable<OidcClientSecretsTable>

const columns = ['tenant', 'client_id', 'id', 'secret_hash', 'hint', 'create_time', 'expire_time'] as const

export async function insertClientSecret(tx: Db, row: ClientSecretRow): Promise<ClientSecretRow> {
  return await tx.insertInto('oidc_client_secrets').values(row).returning(columns).executeTakeFirstOrThrow()
}

/** Secrets of clients that have not ended, the oldest first. */
export async function listLivingSecrets(
  db: Db,
  { tenant, clientIds, now }: { tenant: string; clientIds: readonly string[]; now: Date },
): Promise<ClientSecretRow[]> {
  return await db
    .selectFrom('oidc_client_secrets')
    .select(columns)
    .where('tenant', '=', tenant)
    .where(sql<boolean>`client_id = any(${[...clientIds]}::text[])`)
    .where((eb) => eb.or([eb('expire_time', 'is', null), eb('expire_time', '>', now)]))
    .orderBy('client_id')
    .orderBy('id')
    .execute()
}

/** Has all of them end at that time, or by their own where that is sooner. */
export async function endSecretsBy(tx: Db, { tenant, clientId }: ClientKey, time: Date): Promise<void> {
  await tx
    .updateTable('oidc_client_secrets')
    .set({ expire_time: sql<Date>`least(expire_time, ${time}::timestamptz)` })
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .execute()
}

/** Whether there was one that had not ended. */
export async function endSecret(tx: Db, { tenant, clientId, id, now }: ClientKey & { id: string; now: Date }): Promise<boolean> {
  const ended = await tx
    .updateTable('oidc_client_secrets')
    .set({ expire_time: now })
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expire_time', 'is', null), eb('expire_time', '>', now)]))
    .returning('id')
    .executeTakeFirst()
  return ended !== undefined
}

export async function deleteSecrets(tx: Db, { tenant, clientId }: ClientKey): Promise<void> {
  await tx.deleteFrom('oidc_client_secrets').where('tenant', '=', tenant).where('client_id', '=', clientId).execute()
}
