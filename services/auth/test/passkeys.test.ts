import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { Strength } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { refused } from '@gatehouse/testkit'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { holdPasskeysBack } from '../src/store/passkeys.ts'
import { openStory, type Story } from './open-story.ts'
import { nextStepOf, ourOrigin, passkeyOwner, password, signedInOf, signInWith } from './passkey-owner.ts'
import { type SoftwareAuthenticator, softwareAuthenticator } from './software-authenticator.ts'
import { toldOf as suspicionsToldOf } from './told-suspicions.ts'

let story: Story
before(async () => {
  story = await openStory()
})
after(async () => story[Symbol.asyncDispose]())

/** What was told of a person's factors, with its version. */
async function toldOf(userId: string): Promise<string[]> {
  const { rows } = await sql<{ told: string }>`
    select replace(type, 'gatehouse.auth.v1.', '') || ' ' || version as told from outbox where key = ${userId} order by version`.execute(
    story.db,
  )
  return rows.map(({ told }) => told)
}

const strangers = () => story.grpc(PasskeyService)
const shown = (value: string) => ({ proof: { case: 'passkeyJson', value } }) as const

test('a passkey is registered, and signs in with no address typed', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator, passkey } = await owner.register('My laptop')
  assert.deepEqual(
    [passkey?.name, passkey?.backupEligible, passkey?.backedUp, passkey?.lastUseTime],
    ['My laptop', false, false, undefined],
  )

  const signedIn = await signInWith(story, authenticator)
  assert.equal(signedIn.user?.id, owner.user.id)
  assert.deepEqual([signedIn.session?.methods, signedIn.session?.strength], [['pop', 'user'], Strength.PHISHING_RESISTANT])
  const claims = decodeJwt(signedIn.accessToken)
  assert.deepEqual([claims.amr, claims.acr], [['pop', 'user'], 'phr'])
  const { passkeys } = await (await owner.as(PasskeyService)).listPasskeys({})
  assert.deepEqual([passkeys.length, passkeys[0]?.lastUseTime !== undefined], [1, true])
  assert.deepEqual(await toldOf(owner.user.id), ['FactorsChanged 1'])
})

test('the browser is asked for a passkey that it keeps, with its owner verified and nobody attested', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  await owner.raise(authenticator)
  const { optionsJson } = await (await owner.as(PasskeyService)).beginPasskeyRegistration({})
  const options = JSON.parse(optionsJson)
  assert.deepEqual(options.rp, { id: 'localhost', name: 'Gatehouse' })
  assert.equal(Buffer.from(options.user.id, 'base64url').toString('hex'), owner.user.id.replaceAll('-', ''))
  assert.equal(options.user.name, owner.user.email)
  assert.equal(Buffer.from(options.challenge, 'base64url').length, 32)
  assert.deepEqual(
    options.pubKeyCredParams.map(({ alg }: { alg: number }) => alg),
    [-8, -7, -257],
  )
  const { residentKey, requireResidentKey, userVerification } = options.authenticatorSelection
  assert.deepEqual([residentKey, requireResidentKey, userVerification, options.attestation], ['required', true, 'required', 'none'])
  assert.deepEqual(
    options.excludeCredentials.map(({ id }: { id: string }) => id),
    [Buffer.from(authenticator.credentialId).toString('base64url')],
  )
  const begun = await Promise.all([1, 2].map(async () => JSON.parse((await (await strangers()).beginPasskeySignIn({})).optionsJson)))
  assert.notEqual(begun[0].challenge, begun[1].challenge)
  assert.deepEqual([begun[0].rpId, begun[0].userVerification, begun[0].allowCredentials], ['localhost', 'required', []])
})

test('an attempt is good once, whatever came of it, in many at once over two replicas too', async () => {
  const { authenticator } = await (await passkeyOwner(story)).register()
  const places = [story.app, await story.startReplica()]
  const { attemptId, optionsJson } = await (await strangers()).beginPasskeySignIn({})
  const clients = await Promise.all([...places, ...places, ...places].map((place) => story.grpc(PasskeyService, {}, undefined, place)))
  const answers = clients.map(() => authenticator.assert(optionsJson))
  const outcomes = await Promise.allSettled(
    clients.map((client, n) => client.completePasskeySignIn({ attemptId, passkeyJson: answers[n] ?? '' })),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)

  const again = await (await strangers()).beginPasskeySignIn({})
  const complete = async (passkeyJson: string) => (await strangers()).completePasskeySignIn({ attemptId: again.attemptId, passkeyJson })
  await refused(
    complete(authenticator.assert(again.optionsJson, { origin: 'http://localhost:8081' })),
    Code.Unauthenticated,
    'PASSKEY_INVALID',
  )
  await refused(complete(authenticator.assert(again.optionsJson)), Code.Unauthenticated, 'CONTINUATION_INVALID')
  assert.ok(await signInWith(story, authenticator))
})

test('a registration is one session’s, and good once', async () => {
  const [ada, bob] = [await passkeyOwner(story), await passkeyOwner(story)]
  const { attemptId, optionsJson } = await (await ada.as(PasskeyService)).beginPasskeyRegistration({})
  const authenticator = softwareAuthenticator({ origin: ourOrigin })
  const passkeyJson = authenticator.register(optionsJson)
  const elsewhere = await (await story.grpc(SessionService)).signIn({ email: ada.user.email, password })
  const other = await story.grpc(PasskeyService, { authorization: `Bearer ${signedInOf(elsewhere.result).accessToken}` })
  for (const passkeys of [await bob.as(PasskeyService), other])
    await refused(passkeys.completePasskeyRegistration({ attemptId, passkeyJson }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  await refused((await strangers()).completePasskeySignIn({ attemptId, passkeyJson }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  const passkeys = await ada.as(PasskeyService)
  const both = await Promise.allSettled([1, 2].map(() => passkeys.completePasskeyRegistration({ attemptId, passkeyJson })))
  assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)

  const taken = await (await bob.as(PasskeyService)).beginPasskeyRegistration({})
  const copied = softwareAuthenticator({ origin: ourOrigin, credentialId: authenticator.credentialId }).register(taken.optionsJson)
  await refused(
    (await bob.as(PasskeyService)).completePasskeyRegistration({ attemptId: taken.attemptId, passkeyJson: copied }),
    Code.AlreadyExists,
    'FACTOR_EXISTS',
  )
})

test('whoever the passkey does not name, or nobody knows, is refused alike', async () => {
  const [ada, bob] = [await passkeyOwner(story), await passkeyOwner(story)]
  const [{ authenticator: adas }, { authenticator: bobs }] = [await ada.register(), await bob.register()]
  const handleOf = ({ user }: typeof ada) => Buffer.from(user.id.replaceAll('-', ''), 'hex').toString('base64url')
  const invalid = (call: Promise<unknown>) => refused(call, Code.Unauthenticated, 'PASSKEY_INVALID')
  await invalid(signInWith(story, softwareAuthenticator({ origin: ourOrigin })))
  await invalid(signInWith(story, adas, { credentialId: bobs.credentialId }))
  await invalid(signInWith(story, adas, { credentialId: bobs.credentialId, userHandle: handleOf(bob) }))
  await invalid(signInWith(story, adas, { userHandle: handleOf(bob) }))
  await invalid(signInWith(story, adas, { userHandle: null }))
  assert.equal((await signInWith(story, adas)).user?.id, ada.user.id)
})

test('a copy that counts backwards is refused, and its owner told; the one that counts on signs in', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  await signInWith(story, authenticator, { signCount: 7 })
  for (const signCount of [7, 6, 0]) await refused(signInWith(story, authenticator, { signCount }), Code.Unauthenticated, 'PASSKEY_INVALID')
  // A signature that is wrong says nothing about a copy: whoever has no key alarms nobody.
  await refused(
    signInWith(story, authenticator, { signCount: 1, signature: (right) => right.reverse() }),
    Code.Unauthenticated,
    'PASSKEY_INVALID',
  )
  const sessions = await story.grpc(SessionService)
  const step = nextStepOf((await sessions.signIn({ email: owner.user.email, password })).result)
  const goOn = (signCount: number) =>
    sessions.continueSignIn({
      continuation: step.continuation,
      proof: shown(authenticator.assert(step.passkeyOptionsJson, { signCount })),
    })
  await refused(goOn(5), Code.PermissionDenied, 'FACTOR_WRONG')
  assert.equal((await goOn(8)).result.case, 'signedIn')
  assert.ok(await signInWith(story, authenticator, { signCount: 9 }))
  // Once a day; each try is on record.
  assert.deepEqual(await toldOf(owner.user.id), ['FactorsChanged 1', 'PasskeyCloned 2'])
  assert.deepEqual(
    (await suspicionsToldOf(story.db, owner.user.id)).filter((told) => told.includes('CLONED')),
    ['PASSKEY_CLONED +'],
  )
  const exposed = await (await fetch(`http://127.0.0.1:${story.app.ports.metrics}/metrics`)).text()
  assert.match(exposed, /gatehouse_suspicions_total\{kind="passkey_cloned"[^}]*\} 1/)
  const { rows } = await sql<{ kind: string }>`select kind from audit_entries
    where subject_id = ${owner.user.id} and details->>'counts' = 'backwards' order by time, id`.execute(story.db)
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    [...Array.from({ length: 3 }, () => 'complete_passkey_sign_in'), 'sign_in'],
  )
})

test('a copy that is shown in a sign-in that goes on, or to raise a session, is told too', async () => {
  const [ada, bob] = [await passkeyOwner(story), await passkeyOwner(story)]
  const [{ authenticator: adas }, { authenticator: bobs }] = [await ada.register(), await bob.register()]
  for (const each of [adas, bobs]) await signInWith(story, each, { signCount: 7 })
  const clonesOf = async ({ user }: typeof ada) => (await suspicionsToldOf(story.db, user.id)).filter((told) => told.includes('CLONED'))

  const sessions = await story.grpc(SessionService)
  const { continuation, passkeyOptionsJson } = nextStepOf((await sessions.signIn({ email: ada.user.email, password })).result)
  const goOn = (signCount: number) =>
    sessions.continueSignIn({ continuation, proof: shown(adas.assert(passkeyOptionsJson, { signCount })) })
  await refused(goOn(5), Code.PermissionDenied, 'FACTOR_WRONG')
  assert.deepEqual(await clonesOf(ada), ['PASSKEY_CLONED +'])
  assert.equal((await goOn(8)).result.case, 'signedIn')
  assert.deepEqual(await clonesOf(ada), ['PASSKEY_CLONED +'])

  const own = await bob.as(SessionService)
  const { nextStep } = await own.beginStepUp({})
  const raise = (signCount: number) =>
    own.completeStepUp({
      continuation: nextStep?.continuation ?? '',
      proof: shown(bobs.assert(nextStep?.passkeyOptionsJson ?? '', { signCount })),
    })
  await refused(raise(5), Code.PermissionDenied, 'FACTOR_WRONG')
  assert.deepEqual(await clonesOf(bob), ['PASSKEY_CLONED +'])
  assert.equal((await raise(8)).result.case, 'signedIn')
})

test('after a password the passkey is asked for, and another person’s is none', async () => {
  const [ada, bob] = [await passkeyOwner(story), await passkeyOwner(story)]
  const [{ authenticator: adas }, { authenticator: bobs }] = [await ada.register(), await bob.register()]
  const sessions = await story.grpc(SessionService)
  const step = nextStepOf((await sessions.signIn({ email: ada.user.email, password })).result)
  assert.deepEqual(step.factors, [Factor.PASSKEY, Factor.RECOVERY_CODE])
  const options = JSON.parse(step.passkeyOptionsJson)
  assert.deepEqual(
    [options.allowCredentials.map(({ id }: { id: string }) => id), options.userVerification],
    [[Buffer.from(adas.credentialId).toString('base64url')], 'required'],
  )
  const goOn = (proof: ReturnType<typeof shown>) => sessions.continueSignIn({ continuation: step.continuation, proof })
  await refused(goOn(shown(bobs.assert(step.passkeyOptionsJson))), Code.PermissionDenied, 'FACTOR_WRONG')
  await refused(goOn(shown(adas.assert(step.passkeyOptionsJson, { flags: 0x01 }))), Code.PermissionDenied, 'FACTOR_WRONG')
  const another = nextStepOf((await sessions.signIn({ email: ada.user.email, password })).result)
  await refused(goOn(shown(adas.assert(another.passkeyOptionsJson))), Code.PermissionDenied, 'FACTOR_WRONG')
  const { session } = signedInOf((await goOn(shown(adas.assert(step.passkeyOptionsJson)))).result)
  assert.deepEqual([session?.methods, session?.strength], [['pwd', 'pop', 'user'], Strength.PHISHING_RESISTANT])
})

test('a passkey that a lock-down held back signs nobody in alone, until it was shown beside something else', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  await holdPasskeysBack(story.db, { tenant: 'default', userId: owner.user.id, since: new Date(0) })
  const alone = () => signInWith(story, authenticator)
  await refused(alone(), Code.Unauthenticated, 'PASSKEY_INVALID')
  const sessions = await story.grpc(SessionService)
  const step = nextStepOf((await sessions.signIn({ email: owner.user.email, password })).result)
  assert.ok(step.factors.includes(Factor.PASSKEY), 'it is asked for all the same')
  const proof = shown(authenticator.assert(step.passkeyOptionsJson))
  signedInOf((await sessions.continueSignIn({ continuation: step.continuation, proof })).result)
  assert.ok((await alone()).accessToken)
})

test('a step-up takes the own passkey only, and the session is as strong as it', async () => {
  const [ada, bob] = [await passkeyOwner(story), await passkeyOwner(story)]
  const [{ authenticator: adas }, { authenticator: bobs }] = [await ada.register(), await bob.register()]
  const { nextStep } = await (await ada.as(SessionService)).beginStepUp({ strength: Strength.PHISHING_RESISTANT })
  const complete = async (from: SoftwareAuthenticator) =>
    (await ada.as(SessionService)).completeStepUp({
      continuation: nextStep?.continuation ?? '',
      proof: shown(from.assert(nextStep?.passkeyOptionsJson ?? '')),
    })
  await refused(complete(bobs), Code.PermissionDenied, 'FACTOR_WRONG')
  const raised = signedInOf((await complete(adas)).result)
  assert.deepEqual([raised.session?.id, raised.session?.strength], [ada.session.session?.id, Strength.PHISHING_RESISTANT])
})

test('whoever has a passkey changes factors in a session that showed it, and a session from before does not', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator, passkey } = await owner.register()
  const passkeyId = passkey?.id ?? ''
  const before = await owner.as(PasskeyService)
  await refused(before.beginPasskeyRegistration({}), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  await refused(before.deletePasskey({ passkeyId }), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  await owner.raise(authenticator)
  const { passkey: second, authenticator: other } = await owner.register('Key in the drawer')
  const passkeys = await owner.as(PasskeyService)
  for (const name of ['', ' ', 'a\nb', 'a\u202eb', 'x'.repeat(101)])
    await refused(passkeys.renamePasskey({ passkeyId, name }), Code.InvalidArgument, 'INVALID_REQUEST')
  assert.deepEqual((await passkeys.renamePasskey({ passkeyId, name: 'Phone' })).passkey?.name, 'Phone')
  assert.deepEqual(
    (await passkeys.listPasskeys({})).passkeys.map(({ name }) => name),
    ['Phone', 'Key in the drawer'],
  )
  await passkeys.deletePasskey({ passkeyId })
  await refused(signInWith(story, authenticator), Code.Unauthenticated, 'PASSKEY_INVALID')
  assert.ok(await signInWith(story, other))
  await refused(passkeys.deletePasskey({ passkeyId }), Code.NotFound, 'FACTOR_NOT_FOUND')
  const stranger = await (await passkeyOwner(story)).as(PasskeyService)
  await refused(stranger.renamePasskey({ passkeyId: second?.id ?? '', name: 'Mine' }), Code.NotFound, 'FACTOR_NOT_FOUND')
  await refused(stranger.deletePasskey({ passkeyId: second?.id ?? '' }), Code.NotFound, 'FACTOR_NOT_FOUND')
  assert.deepEqual(await toldOf(owner.user.id), ['FactorsChanged 1', 'FactorsChanged 2', 'FactorsChanged 3'])
})

test('with the first passkey a sign-in that saw none opens no session any more', async () => {
  const owner = await passkeyOwner(story)
  const { email } = owner.user
  const { attemptId, optionsJson } = await (await owner.as(PasskeyService)).beginPasskeyRegistration({})
  const passkeyJson = softwareAuthenticator({ origin: ourOrigin }).register(optionsJson)
  // The passkey comes while the password's sign-in waits for the user service, whose second answer comes after the password was right.
  let asked = 0
  story.people.before('batchGetUsers', async () => {
    if (++asked === 1) await (await owner.as(PasskeyService)).completePasskeyRegistration({ attemptId, passkeyJson })
  })
  await refused((await story.grpc(SessionService)).signIn({ email, password }), Code.Unauthenticated, 'EMAIL_OR_PASSWORD_WRONG')
  story.people.before('batchGetUsers', () => {})
  assert.equal((await (await story.grpc(SessionService)).signIn({ email, password })).result.case, 'nextStep')
})

test('who is suspended, or cannot be asked for, does not sign in, and the attempt is not lost', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  const person = story.people.of('default', owner.user.id)
  person.state = User_State.SUSPENDED
  await refused(signInWith(story, authenticator), Code.PermissionDenied, 'PERSON_CANNOT_SIGN_IN')
  person.state = User_State.ACTIVE
  const { attemptId, optionsJson } = await (await strangers()).beginPasskeySignIn({})
  const complete = async () => (await strangers()).completePasskeySignIn({ attemptId, passkeyJson: authenticator.assert(optionsJson) })
  story.people.before('batchGetUsers', () => {
    throw new Error('away')
  })
  await refused(complete(), Code.Unavailable, 'DEPENDENCY_UNAVAILABLE')
  story.people.before('batchGetUsers', () => {})
  assert.equal((await complete()).result.case, 'signedIn')
})

test('twenty passkeys are enough', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  await owner.raise(authenticator)
  const begun = await (await owner.as(PasskeyService)).beginPasskeyRegistration({})
  for (let n = 1; n < 20; n++) await owner.register()
  const passkeys = await owner.as(PasskeyService)
  await refused(passkeys.beginPasskeyRegistration({}), Code.AlreadyExists, 'FACTOR_EXISTS')
  const passkeyJson = softwareAuthenticator({ origin: ourOrigin }).register(begun.optionsJson)
  await refused(passkeys.completePasskeyRegistration({ attemptId: begun.attemptId, passkeyJson }), Code.AlreadyExists, 'FACTOR_EXISTS')
})
