import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { connect } from '@gatehouse/postgres'
import { refused } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

let story: Story
before(async () => {
  story = await openStory()
})
after(async () => story[Symbol.asyncDispose]())

const password = 'correct horse battery'
let counter = 0

async function somebody(): Promise<{ email: string; password: string }> {
  const user = story.people.add('default', { email: `bad-day-${++counter}@example.com` })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  return { email: user.email, password }
}

async function signIn(credentials: { email: string; password: string }) {
  const { result } = await (await story.grpc(SessionService)).signIn(credentials)
  assert.equal(result.case, 'signedIn')
  return result.value as Extract<typeof result, { case: 'signedIn' }>['value']
}

const works = (call: () => Promise<unknown>) => () =>
  call().then(
    () => true,
    () => false,
  )

async function asSuperuser(statement: string): Promise<void> {
  await using admin = connect<unknown>({ url: story.adminDatabaseUrl, poolSize: 1 })
  await sql.raw(statement).execute(admin.kysely)
}

test('without the user service nobody is signed in or refreshed, and nothing is used up', async () => {
  const credentials = await somebody()
  const { refreshToken, accessToken } = await signIn(credentials)
  const alone = await story.startReplica({ USER_URL: '127.0.0.1:1' })
  const strangers = await story.grpc(SessionService, {}, undefined, alone)
  await refused(strangers.signIn(credentials), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  await refused(strangers.refreshSession({ refreshToken }), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  const known = await story.grpc(SessionService, { authorization: `Bearer ${accessToken}` }, undefined, alone)
  assert.equal((await known.listSessions({})).sessions.length, 1)
  assert.ok((await (await story.grpc(SessionService)).refreshSession({ refreshToken })).signedIn)
})

test('without NATS people sign in, and are told of when it is back', async () => {
  const credentials = await somebody()
  await story.nats.stop()
  const { session } = await signIn(credentials)
  await story.nats.start()
  await until(async () => {
    const { rows } = await sql<{
      published: boolean
    }>`select published_time is not null as published from outbox where key = ${session?.id}`.execute(story.db)
    return rows[0]?.published === true
  })
})

test('without Postgres keys are still told and calls unavailable, until it is back', async () => {
  const credentials = await somebody()
  const { accessToken } = await signIn(credentials)
  const known = await story.grpc(SessionService, { authorization: `Bearer ${accessToken}` })
  const browser = openBrowser(story.app.ports.web)
  const database = new URL(story.adminDatabaseUrl).pathname.slice(1)
  await asSuperuser(`alter database ${database} connection limit 0`)
  try {
    await asSuperuser(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gatehouse_auth' and datname = current_database()",
    )
    await until(async () => !(await works(() => known.listSessions({}))()))
    await refused(known.listSessions({}), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
    await refused((await story.grpc(SessionService)).signIn(credentials), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
    assert.equal((await browser.get('/.well-known/jwks.json')).status, 200)
    assert.equal((await fetch(`http://127.0.0.1:${story.app.ports.metrics}/readyz`)).status, 200)
  } finally {
    await asSuperuser(`alter database ${database} connection limit -1`)
  }
  await until(works(() => known.listSessions({})))
  await until(works(() => signIn(credentials)))
})

test('with another encryption key the service does not start', async () => {
  const other = Buffer.alloc(32, 80).toString('base64')
  await assert.rejects(story.startReplica({ AUTH_KEY_ENCRYPTION_KEY: other }), { name: 'WrongEncryptionKey' })
  const previous = story.environment.AUTH_KEY_ENCRYPTION_KEY ?? ''
  const replica = await story.startReplica({ AUTH_KEY_ENCRYPTION_KEY: other, AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: previous })
  const { result } = await (await story.grpc(SessionService, {}, undefined, replica)).signIn(await somebody())
  assert.equal(result.case, 'signedIn')
})

test('with the encryption key wrapped a program unwraps it, and without that the service does not start', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-unwrap-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'kms.cjs')
  const theirs = `const wrapped = Buffer.from(require('node:fs').readFileSync(0, 'utf8'), 'base64')
    console.log(Buffer.from(wrapped.subarray(16).map((byte) => byte ^ 0xff)).toString('base64'))`
  writeFileSync(program, `#!${process.execPath}\n${theirs}\n`)
  chmodSync(program, 0o700)
  const key = Buffer.from(story.environment.AUTH_KEY_ENCRYPTION_KEY ?? '', 'base64')
  const wrapped = Buffer.concat([Buffer.from('their key, no. 1'), key.map((byte) => byte ^ 0xff)]).toString('base64')
  const replica = await story.startReplica({ AUTH_KEY_ENCRYPTION_KEY: wrapped, AUTH_KEY_UNWRAP_PROGRAM: program })
  const { result } = await (await story.grpc(SessionService, {}, undefined, replica)).signIn(await somebody())
  assert.equal(result.case, 'signedIn')
  const away = { AUTH_KEY_ENCRYPTION_KEY: wrapped, AUTH_KEY_UNWRAP_PROGRAM: join(folder, 'away') }
  await assert.rejects(story.startReplica(away), /away did not unwrap a key/)
})
