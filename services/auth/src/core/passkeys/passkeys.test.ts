import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { type OpenedDeps, openDeps, origin } from '../../../test/open-deps.ts'
import { refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { type Changes, flag, type SoftwareAuthenticator, softwareAuthenticator } from '../../../test/software-authenticator.ts'
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
