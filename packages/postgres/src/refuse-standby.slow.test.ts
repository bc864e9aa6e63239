import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyAsStandby, replicated, startPostgres } from '@gatehouse/testkit'
import { sql } from 'kysely'
import pg from 'pg'
import { connect } from './connect.ts'
import { isUnavailable } from './errors.ts'

test('nobody reads from a standby, and what was acknowledged is there when it takes the place of its primary', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-standby-'))
  await using closing = new AsyncDisposableStack()
  closing.defer(() => rm(folder, { recursive: true, force: true }))
  const options = { durable: false, keep: false, settings: replicated }
  const from = join(folder, 'one')
  const to = join(folder, 'two')
  const primary = closing.use(await startPostgres({ ...options, dataDir: from }))
  const first = closing.use(connect<unknown>({ url: primary.url })).kysely
  await sql`create table people (name text)`.execute(first)
  await copyAsStandby({ url: primary.url, from, to, name: 'two' })
  const standby = closing.use(await startPostgres({ ...options, dataDir: to }))
  await sql`alter system set synchronous_standby_names = 'two'`.execute(first)
  await sql`select pg_reload_conf()`.execute(first)
  await sql`insert into people values ('ada')`.execute(first)

  const second = closing.use(connect<unknown>({ url: standby.url, poolSize: 1 })).kysely
  const names = () => sql<{ name: string }>`select name from people`.execute(second)
  await assert.rejects(names(), (error) => isUnavailable(error) && /is a standby/.test((error as Error).message))

  await primary.stop()
  const superuser = new pg.Client(standby.url)
  await superuser.connect()
  await superuser.query('select pg_promote()')
  await superuser.end()
  assert.deepEqual((await names()).rows, [{ name: 'ada' }])
})
