import { type Insertable, type Selectable, sql } from 'kysely'
import type { Db, SigningKeysTable } from './schema.ts'

/** What keys sign with. ES256: whatever we issue. RS256: ID tokens of clients that asked for it, and nothing else. */
export type KeyAlg = 'ES256' | 'RS256'

export const keyAlgs: readonly KeyAlg[] = ['ES256', 'RS256']

export type SigningKeyRow = Selectable<SigningKeysTable> & { readonly alg: KeyAlg }

/** Apart by what they sign with: no key of one is ever taken for one of the other. */
export type SigningKeys<Key = SigningKeyRow> = Readonly<Record<KeyAlg, readonly Key[]>>

type KeyName = Pick<SigningKeyRow, 'tenant' | 'kid' | 'alg'>

const columns = ['tenant', 'kid', 'public_jwk', 'private_key', 'create_time', 'sign_time', 'retire_time'] as const

/** A table each: what reads the keys of access tokens, also that of the release before, meets no other. */
const tables = { ES256: 'signing_keys', RS256: 'oidc_signing_keys' } as const

export async function insertSigningKey(tx: Db, { alg, ...row }: Insertable<SigningKeysTable> & Pick<KeyName, 'alg'>): Promise<void> {
  if (alg === 'ES256') await tx.insertInto('signing_keys').values(row).execute()
  else
    await tx
      .insertInto('oidc_signing_keys')
      .values({ ...row, alg })
      .execute()
}

/** Keys of which tokens may be alive or come, in the order in which they sign. */
export async function listSigningKeys(db: Db, tenant: string, now: Date): Promise<SigningKeys> {
  const rows = await livingKeys(db, 'ES256', tenant, now)
    .unionAll(livingKeys(db, 'RS256', tenant, now))
    .orderBy('sign_time')
    .orderBy('kid')
    .execute()
  const of = (alg: KeyAlg) => rows.filter((row) => row.alg === alg)
  return { ES256: of('ES256'), RS256: of('RS256') }
}

function livingKeys(db: Db, alg: KeyAlg, tenant: string, now: Date) {
  return db
    .selectFrom(tables[alg])
    .select([...columns, sql<KeyAlg>`${sql.lit(alg)}`.as('alg')])
    .where('tenant', '=', tenant)
    .where((eb) => eb.or([eb('retire_time', 'is', null), eb('retire_time', '>', now)]))
}

/** Public halves of the keys of every tenant that sign access tokens. */
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

/** Says when the tenant's other keys of the kind leave; a key that has a time already keeps the earlier one. */
export async function retireOtherKeys(tx: Db, { tenant, kid, alg }: KeyName, retireTime: Date): Promise<void> {
  await tx
    .updateTable(tables[alg])
    .set({ retire_time: retireTime })
    .where('tenant', '=', tenant)
    .where('kid', '<>', kid)
    .where((eb) => eb.or([eb('retire_time', 'is', null), eb('retire_time', '>', retireTime)]))
    .execute()
}

export async function retireKey(tx: Db, { tenant, kid, alg }: KeyName, retireTime: Date): Promise<void> {
  await tx.updateTable(tables[alg]).set({ retire_time: retireTime }).where('tenant', '=', tenant).where('kid', '=', kid).execute()
}

/** Lets a key that waits for its time sign already. */
export async function signFrom(tx: Db, { tenant, kid, alg }: KeyName, signTime: Date): Promise<void> {
  await tx
    .updateTable(tables[alg])
    .set({ sign_time: signTime })
    .where('tenant', '=', tenant)
    .where('kid', '=', kid)
    .where('sign_time', '>', signTime)
    .execute()
}

export async function replaceSealedSigningKey(tx: Db, { tenant, kid, alg }: KeyName, box: Uint8Array): Promise<void> {
  await tx.updateTable(tables[alg]).set({ private_key: box }).where('tenant', '=', tenant).where('kid', '=', kid).execute()
}
