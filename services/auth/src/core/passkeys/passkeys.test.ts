import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { connect } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { type OpenedDeps, openDeps, origin } from '../../../test/open-deps.ts'
import { refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { type Changes, flag, type SoftwareAuthenticator, softwareAuthenticator } from '../../../test/software-authenticator.ts'
import { suspicionsIn, toldOf as suspicionsOf } from '../../../test/told-suspicions.ts'
import { lockDown } from '../accounts/lock-down.ts'
import { revealSecret } from '../challenges/reveal-secret.ts'
import type { Deps } from '../deps.ts'
import { cleanUp } from '../sessions/clean-up.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { beginPasskeyRegistration } from './begin-registration.ts'
import { beginPasskeySignIn } from './begin-sign-in.ts'
import { completePasskeyRegistration } from './complete-registration.ts'
import { completePasskeySignIn } from './complete-sign-in.ts'
import { listPasskeys } from './list-passkeys.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
const place = { userAgent: 'a test', source: '192.0.2.7' }

interface Owner {
  readonly user: User
  readonly authenticator: SoftwareAuthenticator
}

async function owner(changes: Changes = {}): Promise<Owner> {
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(opened.deps, user)
  const person = { tenant, userId: user.id, sessionId: session?.id ?? '', strength: Strength.ONE_FACTOR }
  const authenticator = softwareAuthenticator({ origin })
  const { attemptId, optionsJson } = await beginPasskeyRegistration(opened.deps, person)
  const passkeyJson = authenticator.register(optionsJson, changes)
  await completePasskeyRegistration(opened.deps, { ...person, attemptId, passkeyJson, name: '' })
  return { user, authenticator }
}

async function signIn({ authenticator }: Owner, changes: Changes = {}, deps: Deps = opened.deps): Promise<string> {
  const { attemptId, optionsJson } = await beginPasskeySignIn(deps, { tenant })
  const outcome = await completePasskeySignIn(deps, { tenant, attemptId, passkeyJson: authenticator.assert(optionsJson, changes), place })
  return outcome.case
}

test('an attempt ends after ten minutes, and is swept away', async () => {
  const { deps } = opened
  const { authenticator } = await owner()
  const { attemptId, optionsJson } = await beginPasskeySignIn(deps, { tenant })
  const complete = () => completePasskeySignIn(deps, { tenant, attemptId, passkeyJson: authenticator.assert(optionsJson), place })
  const count = async () => (await deps.db.selectFrom('passkey_attempts').select('id').execute()).length
  opened.pass(599)
  await cleanUp(deps)
  assert.equal(await count(), 1)
  opened.pass(2)
  await assert.rejects(complete(), refusedWith('CONTINUATION_INVALID'))
  await cleanUp(deps)
  assert.equal(await count(), 0)
})

test('whether a passkey is on several devices is kept, and follows what it says', async () => {
  const { present, verified, eligible, backedUp, attested } = flag
  const synced = await owner({ flags: present | verified | attested | eligible })
  const flags = async () =>
    (await listPasskeys(opened.deps, { tenant, userId: synced.user.id })).map((each) => [each.backupEligible, each.backedUp])
  assert.deepEqual(await flags(), [[true, false]])
  assert.equal(await signIn(synced, { flags: present | verified | eligible | backedUp, signCount: 0 }), 'signedIn')
  assert.deepEqual(await flags(), [[true, true]])
  // Passkeys that are on several devices count nothing: 0 after 0 is no copy.
  assert.equal(await signIn(synced, { flags: present | verified | eligible, signCount: 0 }), 'signedIn')
  assert.deepEqual(await flags(), [[true, false]])
})

test('of two answers that count the same, in two replicas at once, one signs in', async () => {
  const counting = await owner({ signCount: 1 })
  const replicas = [opened.deps, opened.replica(), opened.deps, opened.replica()]
  const begun = await Promise.all(replicas.map((deps) => beginPasskeySignIn(deps, { tenant })))
  const outcomes = await Promise.allSettled(
    replicas.map((deps, n) => {
      const { attemptId = '', optionsJson = '' } = begun[n] ?? {}
      const passkeyJson = counting.authenticator.assert(optionsJson, { signCount: 5 })
      return completePasskeySignIn(deps, { tenant, attemptId, passkeyJson, place })
    }),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(await signIn(counting, { signCount: 6 }), 'signedIn')
})

test('a passkey belongs to its tenant', async () => {
  const { deps } = opened
  await createTenant(deps, { id: 'acme', origin: 'https://id.acme.example' })
  const { authenticator } = await owner()
  const { attemptId, optionsJson } = await beginPasskeySignIn(deps, { tenant: 'acme' })
  assert.equal(JSON.parse(optionsJson).rpId, 'id.acme.example')
  const passkeyJson = authenticator.assert(optionsJson, { origin: 'https://id.acme.example' })
  await assert.rejects(completePasskeySignIn(deps, { tenant, attemptId, passkeyJson, place }), refusedWith('CONTINUATION_INVALID'))
  await assert.rejects(completePasskeySignIn(deps, { tenant: 'acme', attemptId, passkeyJson, place }), refusedWith('PASSKEY_INVALID'))
})

test('a session that has ended registers nothing', async () => {
  const { deps } = opened
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(deps, user)
  const person = { tenant, userId: user.id, sessionId: session?.id ?? '', strength: Strength.ONE_FACTOR }
  const { attemptId, optionsJson } = await beginPasskeyRegistration(deps, person)
  const passkeyJson = softwareAuthenticator({ origin }).register(optionsJson)
  const complete = () => completePasskeyRegistration(deps, { ...person, attemptId, passkeyJson, name: '' })
  const end = (time: Date | null) => deps.db.updateTable('sessions').set({ end_time: time }).where('id', '=', person.sessionId).execute()
  await end(new Date())
  await assert.rejects(complete(), refusedWith('ACCESS_TOKEN_INVALID'))
  await end(null)
  assert.equal((await complete()).passkey.name, 'Passkey')
})

/** What was told of a passkey that counts backwards: events to the world, and suspicions with their mails. */
async function copiesTold({ user }: Owner): Promise<{ events: number; suspicions: string[] }> {
  const events = await opened.eventsOf(user.id)
  const suspicions = (await suspicionsOf(opened.deps.db, user.id)).filter((told) => told.startsWith('PASSKEY_CLONED'))
  return { events: events.filter(({ $typeName }) => $typeName === 'gatehouse.auth.v1.PasskeyCloned').length, suspicions }
}

test('of copies that come at once to two replicas one is told, with one mail, and all are refused', async () => {
  const copied = await owner({ signCount: 7 })
  const replica = opened.replica()
  const tries = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => signIn(copied, { signCount: n % 7 }, n % 2 === 0 ? opened.deps : replica)),
  )
  for (const result of tries) assert.ok(result.status === 'rejected' && refusedWith('PASSKEY_INVALID').reason === result.reason.reason)
  assert.deepEqual(await copiesTold(copied), { events: 1, suspicions: ['PASSKEY_CLONED +'] })
  const { rows } = await sql<{ kinds: string }>`select details->>'kinds' as kinds from audit_entries
    where subject_id = ${copied.user.id} and kind = 'suspicious_activity'`.execute(opened.deps.db)
  assert.deepEqual(rows, [{ kinds: 'passkey_cloned' }])
})

test('a copy is told again after a day, and at once after a lock-down', async () => {
  const copied = await owner({ signCount: 7 })
  const { db } = opened.deps
  const tryCopy = () => assert.rejects(signIn(copied, { signCount: 3 }), refusedWith('PASSKEY_INVALID'))
  await tryCopy()
  opened.pass(86_399)
  await tryCopy()
  assert.equal((await copiesTold(copied)).suspicions.length, 1)
  opened.pass(1)
  await tryCopy()
  assert.equal((await copiesTold(copied)).suspicions.length, 2)

  const told = (await suspicionsIn(db)).findLast(({ userId }) => userId === copied.user.id)
  const { token, suspicion } = await revealSecret(opened.deps, { tenant, challengeId: told?.challengeId ?? '', deliveryId: randomUUID() })
  assert.deepEqual(suspicion?.kinds, [SuspicionKind.PASSKEY_CLONED])
  await lockDown(opened.deps, { tenant, token })
  await tryCopy()
  assert.equal((await copiesTold(copied)).suspicions.length, 3)
})

test('what cannot be told whole is not told, and is told with the next try', async () => {
  const copied = await owner({ signCount: 7 })
  const { db } = opened.deps
  await using admin = connect({ url: opened.adminDatabaseUrl, poolSize: 1 })
  await sql`alter table gatehouse_auth.suspicions rename to out_of_the_way`.execute(admin.kysely)
  await assert.rejects(signIn(copied, { signCount: 3 }), /suspicions/)
  await sql`alter table gatehouse_auth.out_of_the_way rename to suspicions`.execute(admin.kysely)
  assert.deepEqual(await copiesTold(copied), { events: 0, suspicions: [] })
  const { rows } = await sql`select from suspicion_marks where subject = ${copied.user.id} and kind = 'passkey_cloned'`.execute(db)
  assert.deepEqual(rows, [])
  await assert.rejects(signIn(copied, { signCount: 3 }), refusedWith('PASSKEY_INVALID'))
  assert.deepEqual(await copiesTold(copied), { events: 1, suspicions: ['PASSKEY_CLONED +'] })
})
