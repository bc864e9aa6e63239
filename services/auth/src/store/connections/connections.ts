import { type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { ConnectionsTable } from './connection-tables.ts'

/** A connection with its mail domains. */
export type ConnectionRow = Selectable<ConnectionsTable> & { readonly domains: readonly string[] }

export interface ConnectionKey {
  readonly tenant: string
  readonly connectionId: string
}

const columns = [
  'tenant',
  'connection_id',
  'kind',
  'name',
  'issuer',
  'client_id',
  'secret',
  'scopes',
  'jit',
  'trusted_email',
  'enforce',
  'hidden',
  'mapping',
  'version',
  'create_time',
  'update_time',
  'disable_time',
  'delete_time',
] as const

const domains = sql<string[]>`array(
  select d.domain from connection_domains d
  where d.tenant = connections.tenant and d.connection_id = connections.connection_id order by d.domain)`.as('domains')

/** What an administrator says of a connection. */
export type ConnectionContent = Pick<
  ConnectionRow,
  'name' | 'client_id' | 'secret' | 'scopes' | 'jit' | 'trusted_email' | 'enforce' | 'hidden' | 'mapping' | 'domains'
>

/** Undefined where the tenant has one of this id, or to this issuer. */
export async function insertConnection(
  tx: Db,
  row: ConnectionKey & Pick<ConnectionRow, 'kind' | 'issuer'>,
  { domains: _, mapping, ...content }: ConnectionContent,
  now: Date,
): Promise<boolean> {
  const { tenant, connectionId, kind, issuer } = row
  const inserted = await tx
    .insertInto('connections')
    .values({
      tenant,
      connection_id: connectionId,
      kind,
      issuer,
      ...content,
      scopes: [...content.scopes],
      mapping: JSON.stringify(mapping),
      version: 1,
      create_time: now,
      update_time: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('connection_id')
    .executeTakeFirst()
  return inserted !== undefined
}

/** Replaces the mail domains; answers those that another connection has. */
export async function putDomains(tx: Db, { tenant, connectionId }: ConnectionKey, wanted: readonly string[]): Promise<string[]> {
  await tx.deleteFrom('connection_domains').where('tenant', '=', tenant).where('connection_id', '=', connectionId).execute()
  if (wanted.length === 0) return []
  const put = await tx
    .insertInto('connection_domains')
    .values(wanted.map((domain) => ({ tenant, domain, connection_id: connectionId })))
    .onConflict((conflict) => conflict.columns(['tenant', 'domain']).doNothing())
    .returning('domain')
    .execute()
  const got = new Set(put.map(({ domain }) => domain))
  return wanted.filter((domain) => !got.has(domain))
}

export async function findConnection(db: Db, { tenant, connectionId }: ConnectionKey): Promise<ConnectionRow | undefined> {
  return await db
    .selectFrom('connections')
    .select(columns)
    .select(domains)
    .where('tenant', '=', tenant)
    .where('connection_id', '=', connectionId)
    .where('delete_time', 'is', null)
    .executeTakeFirst()
}

/** Also one that is on its way out. Changes of one connection pass one after the other. */
export async function lockConnection(tx: Db, { tenant, connectionId }: ConnectionKey): Promise<ConnectionRow | undefined> {
  return await tx
    .selectFrom('connections')
    .select(columns)
    .select(domains)
    .where('tenant', '=', tenant)
    .where('connection_id', '=', connectionId)
    .forUpdate('connections')
    .executeTakeFirst()
}

/** By their ids, from behind `after`. */
export async function listConnections(db: Db, which: { tenant: string; after: string; limit: number }): Promise<ConnectionRow[]> {
  return await db
    .selectFrom('connections')
    .select(columns)
    .select(domains)
    .where('tenant', '=', which.tenant)
    .where('connection_id', '>', which.after)
    .where('delete_time', 'is', null)
    .orderBy('connection_id')
    .limit(which.limit)
    .execute()
}

export async function countConnections(db: Db, tenant: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) as count from connections where tenant = ${tenant}`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

/** The connection gets the next version. */
export async function changeConnection(
  tx: Db,
  { tenant, connectionId }: ConnectionKey,
  change: Partial<Omit<ConnectionContent, 'domains'>> & { readonly disable_time?: Date | null; readonly delete_time?: Date },
  now: Date,
): Promise<void> {
  const { mapping, scopes, ...rest } = change
  await tx
    .updateTable('connections')
    .set((eb) => ({
      ...rest,
      ...(scopes && { scopes: [...scopes] }),
      ...(mapping && { mapping: JSON.stringify(mapping) }),
      version: eb('version', '+', 1),
      update_time: now,
    }))
    .where('tenant', '=', tenant)
    .where('connection_id', '=', connectionId)
    .execute()
}

export async function deleteConnectionRow(tx: Db, { tenant, connectionId }: ConnectionKey): Promise<void> {
  await tx.deleteFrom('connections').where('tenant', '=', tenant).where('connection_id', '=', connectionId).execute()
}

/** Those of which clean-up has still to remove identities. */
export async function listDeletedConnections(db: Db, limit: number): Promise<ConnectionKey[]> {
  const rows = await db
    .selectFrom('connections')
    .select(['tenant', 'connection_id'])
    .where('delete_time', 'is not', null)
    .limit(limit)
    .execute()
  return rows.map(({ tenant, connection_id: connectionId }) => ({ tenant, connectionId }))
}

/** Every sealed secret of a tenant, for whoever encrypts them anew. */
export async function listSealedConnectionSecrets(tx: Db, tenant: string) {
  return await tx
    .selectFrom('connections')
    .select(['connection_id', 'secret'])
    .where('tenant', '=', tenant)
    .where('secret', 'is not', null)
    .orderBy('connection_id')
    .forUpdate()
    .execute()
}

export async function replaceSealedConnectionSecret(tx: Db, { tenant, connectionId }: ConnectionKey, secret: Uint8Array): Promise<void> {
  await tx.updateTable('connections').set({ secret }).where('tenant', '=', tenant).where('connection_id', '=', connectionId).execute()
}
