import type { Selectable } from 'kysely'
import type { Db } from '../schema.ts'
import type { OidcClientsTable } from './oidc-tables.ts'

export type ClientRow = Selectable<OidcClientsTable>

export interface ClientKey {
  readonly tenant: string
  readonly clientId: string
}

const columns = [
  'tenant',
  'client_id',
  'name',
  'metadata',
  'first_party',
  'resources',
  'introspects',
  'backchannel_logout_uri',
  'version',
  'create_time',
  'update_time',
  'disable_time',
  'delete_time',
] as const

/** What an administrator says of a client. */
export type ClientContent = Pick<ClientRow, 'name' | 'metadata' | 'first_party' | 'resources' | 'introspects' | 'backchannel_logout_uri'>

/** Undefined where the tenant has, or had, a client of this id. */
export async function insertClient(
  tx: Db,
  { tenant, clientId }: ClientKey,
  content: ClientContent,
  now: Date,
): Promise<ClientRow | undefined> {
  return await tx
    .insertInto('oidc_clients')
    .values({ tenant, client_id: clientId, ...valuesOf(content), version: 1, create_time: now, update_time: now })
    .onConflict((conflict) => conflict.columns(['tenant', 'client_id']).doNothing())
    .returning(columns)
    .executeTakeFirst()
}

/** Not of a deleted one. */
export async function findClient(db: Db, { tenant, clientId }: ClientKey): Promise<ClientRow | undefined> {
  return await db
    .selectFrom('oidc_clients')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .where('delete_time', 'is', null)
    .executeTakeFirst()
}

/** Keeps a client as it is until the transaction ends: changes of one client pass one after the other. */
export async function lockClient(tx: Db, { tenant, clientId }: ClientKey): Promise<ClientRow | undefined> {
  return await tx
    .selectFrom('oidc_clients')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .where('delete_time', 'is', null)
    .forUpdate()
    .executeTakeFirst()
}

/** By their ids, from behind `after`. */
export async function listClients(db: Db, which: { tenant: string; after: string; limit: number }): Promise<ClientRow[]> {
  return await db
    .selectFrom('oidc_clients')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .where('client_id', '>', which.after)
    .where('delete_time', 'is', null)
    .orderBy('client_id')
    .limit(which.limit)
    .execute()
}

/** Answers the client as it is then, with the next version. */
export async function changeClient(
  tx: Db,
  { tenant, clientId }: ClientKey,
  change: Partial<ClientContent> & { readonly disable_time?: Date | null; readonly delete_time?: Date },
  now: Date,
): Promise<ClientRow> {
  const { metadata, ...rest } = change
  return await tx
    .updateTable('oidc_clients')
    .set((eb) => ({
      ...rest,
      ...(metadata && { metadata: JSON.stringify(metadata) }),
      version: eb('version', '+', 1),
      update_time: now,
    }))
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

function valuesOf({ metadata, ...rest }: ClientContent) {
  return { ...rest, metadata: JSON.stringify(metadata) }
}

/** Whether any tenant has a client. */
export async function hasClients(db: Db): Promise<boolean> {
  return (
    (await db.selectFrom('oidc_clients').select('client_id').where('delete_time', 'is', null).limit(1).executeTakeFirst()) !== undefined
  )
}
