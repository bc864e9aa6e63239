import { type Selectable, sql } from 'kysely'
import type { CredentialsTable } from './account-tables.ts'
import { secondFactorOf } from './factors.ts'
import type { Db } from './schema.ts'

export type CredentialRow = Selectable<CredentialsTable>

const columns = ['tenant', 'user_id', 'password_hash', 'closed_hash', 'version', 'create_time', 'update_time'] as const

/** The version of a person's first password. */
export const firstVersion = 1

interface Person {
  readonly tenant: string
  readonly userId: string
}

export async function findCredential(db: Db, key: Person): Promise<CredentialRow | undefined> {
  return await db
    .selectFrom('credentials')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .executeTakeFirst()
}

/** The version of a person's password, which stays until the transaction ends. */
export async function holdCredentialVersion(tx: Db, key: Person): Promise<number | undefined> {
  const row = await tx
    .selectFrom('credentials')
    .select('version')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .forShare()
    .executeTakeFirst()
  return row?.version
}

/** A person's password, and how often all their sessions were ended. */
export interface CredentialAndEpoch extends Pick<CredentialRow, 'user_id' | 'password_hash' | 'version'> {
  readonly epoch: number
  /** How often their factors were changed. */
  readonly factor_version: number
  /** Whether there is anything beside the password to ask for. */
  readonly second_factor: boolean
}

/** By the person's id; whoever has no password is left out. */
export async function findCredentialsAndEpochs(
  db: Db,
  tenant: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, CredentialAndEpoch>> {
  const rows = await db
    .selectFrom('credentials')
    .leftJoin('session_epochs', (join) =>
      join.onRef('session_epochs.tenant', '=', 'credentials.tenant').onRef('session_epochs.user_id', '=', 'credentials.user_id'),
    )
    .leftJoin('factor_versions', (join) =>
      join.onRef('factor_versions.tenant', '=', 'credentials.tenant').onRef('factor_versions.user_id', '=', 'credentials.user_id'),
    )
    .select([
      'credentials.user_id',
      'password_hash',
      'credentials.version',
      'epoch',
      'factor_versions.version as factor_version',
      secondFactorOf('credentials.tenant', 'credentials.user_id').as('second_factor'),
    ])
    .where('credentials.tenant', '=', tenant)
    .where(sql<boolean>`credentials.user_id = any(${userIds})`)
    .execute()
  return new Map(rows.map((row) => [row.user_id, { ...row, epoch: row.epoch ?? 0, factor_version: row.factor_version ?? 0 }]))
}

/** Gives a person the first password; `false` where there is one. */
export async function insertCredential(tx: Db, row: Person & { passwordHash: string; time: Date }): Promise<boolean> {
  const inserted = await tx
    .insertInto('credentials')
    .values({
      tenant: row.tenant,
      user_id: row.userId,
      password_hash: row.passwordHash,
      version: firstVersion,
      create_time: row.time,
      update_time: row.time,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** Gives passwords to those who have none; answers how many. In the order of the ids, so that two imports wait for each other one way. */
export async function insertCredentials(
  db: Db,
  { tenant, rows, time }: { tenant: string; rows: readonly { userId: string; hash: string }[]; time: Date },
): Promise<number> {
  if (rows.length === 0) return 0
  const sorted = rows.toSorted((one, other) => (one.userId < other.userId ? -1 : 1))
  const inserted = await db
    .insertInto('credentials')
    .values(
      sorted.map(({ userId, hash }) => ({
        tenant,
        user_id: userId,
        password_hash: hash,
        version: firstVersion,
        create_time: time,
        update_time: time,
      })),
    )
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doNothing())
    .executeTakeFirst()
  return Number(inserted.numInsertedOrUpdatedRows ?? 0n)
}

/**
 * Takes the password away, whatever hash the row had: the hash of nobody takes its place, and whoever checked the old one holds a version that is not there any more. What
 * was taken is kept aside, so that it does not become the next one.
 */
export async function closeCredential(tx: Db, { tenant, userId, nobodys }: Person & { nobodys: string }): Promise<void> {
  await tx
    .updateTable('credentials')
    .set((eb) => ({
      version: eb('version', '+', 1),
      password_hash: nobodys,
      closed_hash: eb.case().when('password_hash', '=', nobodys).then(eb.ref('closed_hash')).else(eb.ref('password_hash')).end(),
    }))
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .execute()
}

/** Sets the password whatever there was; answers the version. */
export async function setCredential(tx: Db, row: Person & { passwordHash: string; time: Date }): Promise<number> {
  const { version } = await tx
    .insertInto('credentials')
    .values({
      tenant: row.tenant,
      user_id: row.userId,
      password_hash: row.passwordHash,
      version: firstVersion,
      create_time: row.time,
      update_time: row.time,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'user_id']).doUpdateSet((eb) => ({
        password_hash: eb.ref('excluded.password_hash'),
        closed_hash: null,
        update_time: eb.ref('excluded.update_time'),
        version: eb('credentials.version', '+', 1),
      })),
    )
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

/** Replaces the password that was checked; `undefined` where somebody else was faster. */
export async function replaceCredential(
  tx: Db,
  row: Person & { checkedVersion: number; passwordHash: string; time: Date },
): Promise<number | undefined> {
  const replaced = await tx
    .updateTable('credentials')
    .set({ password_hash: row.passwordHash, update_time: row.time, version: row.checkedVersion + 1 })
    .where('tenant', '=', row.tenant)
    .where('user_id', '=', row.userId)
    .where('version', '=', row.checkedVersion)
    .returning('version')
    .executeTakeFirst()
  return replaced?.version
}

export async function deleteCredential(tx: Db, key: Person): Promise<void> {
  await tx.deleteFrom('credentials').where('tenant', '=', key.tenant).where('user_id', '=', key.userId).execute()
}

/** Puts a better hash of the same password in the place of the one that was checked; the version stays, because nothing changed for anybody. */
export async function upgradeHash(
  db: Db,
  row: Person & { checkedVersion: number; checkedHash: string; passwordHash: string },
): Promise<boolean> {
  const upgraded = await db
    .updateTable('credentials')
    .set({ password_hash: row.passwordHash })
    .where('tenant', '=', row.tenant)
    .where('user_id', '=', row.userId)
    .where('version', '=', row.checkedVersion)
    .where('password_hash', '=', row.checkedHash)
    .executeTakeFirst()
  return upgraded.numUpdatedRows === 1n
}
