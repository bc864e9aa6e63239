import type { ColumnType, Generated } from 'kysely'

export interface CredentialsTable {
  tenant: ColumnType<string, string, never>
  user_id: ColumnType<string, string, never>
  password_hash: string
  version: number
  create_time: Generated<Date>
  update_time: Generated<Date>
}

/** The tables of accounts: credentials, sign-ups, challenges. */
export interface AccountTables {
  credentials: CredentialsTable
}
