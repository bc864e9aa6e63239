import type { Insertable, Selectable } from 'kysely'
import type { Db, SigningKeysTable } from './schema.ts'

export type SigningKeyRow = Selectable<SigningKeysTable>

const columns = ['tenant', 'kid', 'public_jwk', 'private_key', 'create_time', 'sign_time', 'retire_time'] as const

export async function insertSigningKey(tx: Db, row: Insertable<SigningKeysTable>): Promise<void> {
  await tx.insertInto('signing_keys').values(row).execute()
}

/** Keys of which tokens may be alive or come, in the order in which they sign. */
export async function listSigningKeys(db: Db, tenant: string, now: Date): Promise<SigningKeyRow[]> {
  return await db
    .selectFrom('signing_keys')
    .select(columns)
    .where('tenant', '=', tenant)
    .where((eb) => eb.or([eb('retire_time', 'is', null), eb('retire_time', '>', now)]))
    .orderBy('sign_time')
    .orderBy('kid')
    .execute()
}

/** Public halves of the keys of every tenant. */
export async function listPublicKeys(db: Db, now: Date): Promise<Pick<SigningKeyRow, 'tenant' | 'kid' | 'public_jwk'>[]> {
  return await db
    .selectFrom('signing_keys')
    .select(['tenant', 'kid', 'public_jwk'])
    .where((eb) => eb.or([eb('retire_time', 'is', null), eb('retire_time', '>', now)]))
    .orderBy('tenant')
    .orderBy('sign_time')
    .orderBy('kid')
    .execute()
}

/** Says when the tenant's other keys leave; a key that has a time already keeps the earlier one. */
export async function retireOtherKeys(tx: Db, tenant: string, kid: string, retireTime: Date): Promise<void> {
  await tx
    .updateTable('signing_keys')
    .set({ retire_time: retireTime })
    .where('tenant', '=', tenant)
    .where('kid', '<>', kid)
    .where((eb) => eb.or([eb('retire_time', 'is', null), eb('retire_time', '>', retireTime)]))
    .execute()
}

export async function retireKey(tx: Db, key: { tenant: string; kid: string }, retireTime: Date): Promise<void> {
  await tx
    .updateTable('signing_keys')
    .set({ retire_time: retireTime })
    .where('tenant', '=', key.tenant)
    .where('kid', '=', key.kid)
    .execute()
}

/** Lets a key that waits for its time sign already. */
export async function signFrom(tx: Db, key: { tenant: string; kid: string }, signTime: Date): Promise<void> {
  await tx
    .updateTable('signing_keys')
    .set({ sign_time: signTime })
    .where('tenant', '=', key.tenant)
    .where('kid', '=', key.kid)
    .where('sign_time', '>', signTime)
    .execute()
}

export async function replaceSealedSigningKey(tx: Db, key: { tenant: string; kid: string }, box: Uint8Array): Promise<void> {
  await tx.updateTable('signing_keys').set({ private_key: box }).where('tenant', '=', key.tenant).where('kid', '=', key.kid).execute()
}
