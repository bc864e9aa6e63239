import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type PostgresServer, startPostgres } from '@gatehouse/testkit'
import pg from 'pg'
import { databaseUrl, prepareDatabase, roleOf } from './database.ts'
import { serviceNames } from './options.ts'

const passwords = { user: 'a-password-of-user', auth: 'a-password-of-auth', notification: 'a-password-of-notification' }
let folder: string
let postgres: PostgresServer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-roles-'))
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, keep: false })
  await prepareDatabase(postgres.url, passwords)
})
after(async () => {
  await postgres?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function as<T>(name: (typeof serviceNames)[number], act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(databaseUrl(postgres.url, name, passwords[name]))
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}

test('a role makes and reads tables in its own schema, found by its search path', async () => {
  for (const name of serviceNames) {
    await as(name, async (client) => {
      await client.query('create table facts (id int primary key)')
      await client.query('insert into facts values (1)')
      const { rows } = await client.query('select current_schema() as schema, (select count(*)::int from facts) as count')
      assert.deepEqual(rows, [{ schema: roleOf(name), count: 1 }])
    })
  }
})

test('a role reaches no other schema, not even public, and cannot act as another role', async () => {
  const permissionDenied = { code: '42501' }
  for (const name of serviceNames) {
    for (const other of serviceNames.filter((each) => each !== name)) {
      await as(name, async (client) => {
        for (const statement of [
          `select * from ${roleOf(other)}.facts`,
          `insert into ${roleOf(other)}.facts values (2)`,
          `create table ${roleOf(other)}.planted (id int)`,
          `set role ${roleOf(other)}`,
        ])
          await assert.rejects(client.query(statement), permissionDenied, `${name}: ${statement}`)
      })
    }
    await as(name, (client) => assert.rejects(client.query('create table public.planted (id int)'), permissionDenied))
    await as(name, (client) => assert.rejects(client.query('create role planted superuser'), permissionDenied))
  }
})

test('making it again changes nothing', async () => {
  await prepareDatabase(postgres.url, passwords)
  await as('user', async (client) => assert.equal((await client.query('select from facts')).rowCount, 1))
})
