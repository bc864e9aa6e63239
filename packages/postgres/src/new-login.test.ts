import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect } from './connect.ts'

let database: TestDatabase
let role: string
before(async () => {
  database = await testDatabase({ service: 'logging-in', sets: [] })
  role = new URL(database.url).username
  await using admin = connect({ url: database.adminUrl })
  await sql.raw(`create role ${role}_b login password 'of b' in role ${role}`).execute(admin.kysely)
})
after(async () => {
  await using admin = connect({ url: database.adminUrl })
  await sql.raw(`alter role ${role} login; drop role ${role}_b`).execute(admin.kysely)
  await database.dispose()
})

/** Calls go on while the old login becomes another, and then is no more; answers who they were made as, and what failed. */
async function whileLoginsChange(url: () => string, change: () => void): Promise<{ users: Set<string>; failed: string[] }> {
  const users = new Set<string>()
  const failed: string[] = []
  await using admin = connect({ url: database.adminUrl })
  await using connection = connect({ url, poolSize: 4 })
  const stop = new AbortController()
  const call = async (): Promise<void> => {
    const { rows } = await sql<{ user: string }>`select current_user as user`.execute(connection.kysely)
    users.add(rows[0]?.user ?? '')
  }
  const callers = Array.from({ length: 8 }, async () => {
    while (!stop.signal.aborted) {
      await call().catch((error: Error) => failed.push(error.message))
      await delay(1)
    }
  })
  const askedTimes = async (times: number) => {
    for (let i = 0; i < times; i++) await call().catch((error: Error) => failed.push(error.message))
  }
  await askedTimes(20)
  change()
  await askedTimes(20)
  users.clear()
  await askedTimes(20)
  await sql.raw(`alter role ${role} nologin`).execute(admin.kysely)
  // As when connections come to the end of their time.
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role} and datname = current_database()`.execute(
    admin.kysely,
  )
  await askedTimes(20)
  stop.abort()
  await Promise.all(callers)
  await sql.raw(`alter role ${role} login`).execute(admin.kysely)
  return { users, failed }
}

test('a login is replaced by another while calls go on, and none of them fails', async () => {
  let url = database.url
  const change = () => {
    url = Object.assign(new URL(database.url), { username: `${role}_b`, password: 'of b' }).href
  }
  assert.deepEqual(await whileLoginsChange(() => url, change), { users: new Set([`${role}_b`]), failed: [] })
})

test('whoever does not look again is left outside', async () => {
  const { users, failed } = await whileLoginsChange(
    () => database.url,
    () => {},
  )
  assert.ok(users.has(role))
  assert.match(failed.at(-1) ?? '', /is not permitted to log in/)
})
