import { type Kysely, sql } from 'kysely'

export const id = '0001-accounts'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('credentials')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('user_id', 'uuid', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('create_time', 'timestamptz', (column) => column.notNull())
    .addColumn('update_time', 'timestamptz', (column) => column.notNull())
    .addPrimaryKeyConstraint('credentials_pkey', ['tenant', 'user_id'])
    .execute()
  await createChallenges(db)
  await createSignUps(db)
  await createChallengeSecrets(db)
  await db.schema
    .createTable('code_failures')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('address_hash', 'bytea', (column) => column.notNull())
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('wrong_codes', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('code_failures_pkey', ['tenant', 'address_hash', 'day'])
    .execute()
}

async function createChallenges(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('challenges')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('id', 'uuid', (column) => column.notNull())
    .addColumn('kind', 'text', (column) =>
      column.notNull().check(sql`kind in ('sign_up', 'reset', 'invitation', 'email_change', 'email_changed')`),
    )
    .addColumn('address', 'text')
    .addColumn('address_key', 'text')
    .addColumn('user_id', 'uuid')
    .addColumn('previous_address', 'text')
    .addColumn('mail_count', 'integer', (column) => column.notNull())
    .addColumn('wrong_codes', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('create_time', 'timestamptz', (column) => column.notNull())
    .addColumn('request_time', 'timestamptz', (column) => column.notNull())
    .addColumn('end_time', 'timestamptz')
    .addPrimaryKeyConstraint('challenges_pkey', ['tenant', 'id'])
    .execute()
  await db.schema
    .createIndex('challenges_live_address')
    .on('challenges')
    .columns(['tenant', 'address_key'])
    .where(sql.ref('end_time'), 'is', null)
    .execute()
  await db.schema
    .createIndex('challenges_person')
    .on('challenges')
    .columns(['tenant', 'user_id'])
    .where(sql.ref('user_id'), 'is not', null)
    .execute()
  await db.schema.createIndex('challenges_request_time').on('challenges').column('request_time').execute()
}

async function createSignUps(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sign_ups')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('challenge_id', 'uuid', (column) => column.notNull())
    .addColumn('user_id', 'uuid', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('locale', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('sign_ups_pkey', ['tenant', 'challenge_id'])
    .addForeignKeyConstraint('sign_ups_challenge', ['tenant', 'challenge_id'], 'challenges', ['tenant', 'id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute()
  await db.schema.createIndex('sign_ups_person').on('sign_ups').columns(['tenant', 'user_id']).execute()
}

async function createChallengeSecrets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('challenge_secrets')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('challenge_id', 'uuid', (column) => column.notNull())
    .addColumn('delivery_id', 'uuid', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) =>
      column.notNull().check(sql`purpose in ('verify_email', 'reset_password', 'accept_invitation', 'change_email')`),
    )
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('locale', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('user_id', 'uuid')
    .addColumn('token_hash', 'bytea', (column) => column.notNull())
    .addColumn('code_expire_time', 'timestamptz')
    .addColumn('token_expire_time', 'timestamptz', (column) => column.notNull())
    .addPrimaryKeyConstraint('challenge_secrets_pkey', ['tenant', 'challenge_id', 'delivery_id'])
    .addUniqueConstraint('challenge_secrets_token', ['tenant', 'token_hash'])
    .addForeignKeyConstraint('challenge_secrets_challenge', ['tenant', 'challenge_id'], 'challenges', ['tenant', 'id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createIndex('challenge_secrets_person')
    .on('challenge_secrets')
    .columns(['tenant', 'user_id'])
    .where(sql.ref('user_id'), 'is not', null)
    .execute()
}
