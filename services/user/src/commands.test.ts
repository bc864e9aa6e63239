import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@gatehouse/config'
import { assertSchema, connect } from '@gatehouse/postgres'
import { migrationsOf } from '@gatehouse/service'
import { testDatabase } from '@gatehouse/testkit'
import { commands } from './commands.ts'
import { migrations } from './store/migrations/index.ts'

const migrate = commands.find(({ name }) => name === 'migrate') ?? assert.fail('there is no migrate command')

test('migrate brings an empty schema up to date, and again changes nothing', async () => {
  await using database = await testDatabase({ service: 'user', sets: [] })
  await migrate.run([], { GATEHOUSE_MODE: 'test', DATABASE_URL: database.url })
  await migrate.run([], { GATEHOUSE_MODE: 'test', DATABASE_URL: database.url })
  await using connected = connect({ url: database.url })
  await assertSchema(connected.kysely, migrationsOf(migrations))
})

test('migrate without a database says what is missing', async () => {
  await assert.rejects(migrate.run([], {}), ConfigError)
})
