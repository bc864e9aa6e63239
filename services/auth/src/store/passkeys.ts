import type { Selectable } from 'kysely'
import type { PasskeysTable } from './factor-tables.ts'
import type { Db } from './schema.ts'

export type PasskeyRow = Omit<Selectable<PasskeysTable>, 'held_back'>

const columns = [
  'tenant',
  'id',
  'user_id',
  'credential_id',
  'public_key',
  'sign_count',
  'transports',
  'backup_eligible',
  'backed_up',
  'name',
  'create_time',
  'last_use_time',
] as const

interface Key {
  readonly tenant: string
  readonly userId: string
  readonly id: string
}

export async function findPasskeyByCredential(db: Db, key: { tenant: string; credentialId: Uint8Array }): Promise<PasskeyRow | undefined> {
  return await db
    .selectFrom('passkeys')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('credential_id', '=', key.credentialId)
    .executeTakeFirst()
}

/** All of a person's, the oldest first: they are few. */
export async function listPasskeys(db: Db, person: { tenant: string; userId: string }): Promise<PasskeyRow[]> {
  return await db
    .selectFrom('passkeys')
    .select(columns)
    .where('tenant', '=', person.tenant)
    .where('user_id', '=', person.userId)
    .orderBy('id')
    .execute()
}

/** `false` where somebody in the tenant has a passkey of this credential id. */
export async function insertPasskey(tx: Db, row: PasskeyRow): Promise<boolean> {
  const inserted = await tx
    .insertInto('passkeys')
    .values({ ...row, sign_count: Number(row.sign_count) })
    .onConflict((conflict) => conflict.columns(['tenant', 'credential_id']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export interface PasskeyUse {
  readonly tenant: string
  readonly user_id: string
  readonly id: string
  readonly signCount: number
  readonly backedUp: boolean
  readonly time: Date
  /** It is all that was shown. */
  readonly alone: boolean
}

/** Writes that a passkey was used; `false` where it is gone, has counted this far meanwhile, or is alone and held back. Beside something else it is held back no more. */
export async function recordPasskeyUse(tx: Db, use: PasskeyUse): Promise<boolean> {
  const recorded = await tx
    .updateTable('passkeys')
    .set({ sign_count: use.signCount, backed_up: use.backedUp, last_use_time: use.time, held_back: false })
    .where('tenant', '=', use.tenant)
    .where('user_id', '=', use.user_id)
    .where('id', '=', use.id)
    .$if(use.alone, (alone) => alone.where('held_back', '=', false))
    .where((eb) => eb.or([eb('sign_count', '<', BigInt(use.signCount)), eb.and([eb('sign_count', '=', 0n), eb.lit(use.signCount === 0)])]))
    .returning('id')
    .executeTakeFirst()
  return recorded !== undefined
}

/** Passkeys that were added since then do not sign in alone. */
export async function holdPasskeysBack(tx: Db, { tenant, userId, since }: { tenant: string; userId: string; since: Date }): Promise<void> {
  await tx
    .updateTable('passkeys')
    .set({ held_back: true })
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('create_time', '>=', since)
    .execute()
}

export async function renamePasskey(db: Db, { tenant, userId, id, name }: Key & { name: string }): Promise<PasskeyRow | undefined> {
  return await db
    .updateTable('passkeys')
    .set({ name })
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst()
}

/** `false` where the person has no such passkey. */
export async function deletePasskey(tx: Db, { tenant, userId, id }: Key): Promise<boolean> {
  const row = await tx
    .deleteFrom('passkeys')
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
