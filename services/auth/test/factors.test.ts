import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { Code } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { Factor, type NextStep, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { Strength } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { refused } from '@gatehouse/testkit'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openStory, type Story } from './open-story.ts'
import { toldOf as suspicionsToldOf } from './told-suspicions.ts'
import { codeOf } from './totp-code.ts'

let story: Story
let passwordHash: string
before(async () => {
  story = await openStory()
  passwordHash = await createHashPool().hash(password)
})
after(async () => story[Symbol.asyncDispose]())

const password = 'correct horse battery'
const tenant = 'default'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const factorsOf = (token: string, replica?: Story['app']) => story.grpc(FactorService, bearer(token), undefined, replica)
const sessionsOf = (token: string) => story.grpc(SessionService, bearer(token))

let counter = 0
async function somebody() {
  const user = story.people.add(tenant, { email: `factors-${++counter}@example.com` })
  await insertCredential(story.db, { tenant, userId: user.id, passwordHash, time: new Date() })
  return user
}

async function signIn(email: string, replica?: Story['app']) {
  return (await (await story.grpc(SessionService, {}, undefined, replica)).signIn({ email, password })).result
}

function whole({ case: kind, value }: Awaited<ReturnType<typeof signIn>>): SignedInResult {
  assert.equal(kind, 'signedIn')
  return value as SignedInResult
}

function next({ case: kind, value }: Awaited<ReturnType<typeof signIn>>): NextStep {
  assert.equal(kind, 'nextStep')
  return value as NextStep
}

/** Somebody with an authenticator app, of which the code of this time step is used. */
async function somebodyWithTotp() {
  const user = await somebody()
  const { accessToken } = whole(await signIn(user.email))
  const factors = await factorsOf(accessToken)
  const { secret } = await factors.beginTotp({})
  const { recoveryCodes } = await factors.confirmTotp({ code: codeOf(secret) })
  return { user, secret, recoveryCodes, accessToken }
}

const totp = (value: string) => ({ proof: { case: 'totpCode', value } }) as const
const recovery = (value: string) => ({ proof: { case: 'recoveryCode', value } }) as const
const passwordProof = { proof: { case: 'password', value: password } } as const

async function goOn(continuation: string, proof: ReturnType<typeof totp> | ReturnType<typeof recovery>, replica?: Story['app']) {
  return (await (await story.grpc(SessionService, {}, undefined, replica)).continueSignIn({ continuation, proof })).result
}

test('an authenticator app is set up, asked for, and makes a sign-in of two factors', async () => {
  const user = await somebody()
  const { accessToken } = whole(await signIn(user.email))
  const factors = await factorsOf(accessToken)
  const setup = await factors.beginTotp({})
  assert.match(setup.secret, /^[A-Z2-7]{32}$/)
  assert.ok(setup.uri.startsWith('otpauth://totp/Gatehouse:') && setup.uri.includes(`secret=${setup.secret}`))
  assert.match(setup.qrSvg, /^<svg /)
  // It does not count yet.
  whole(await signIn(user.email))
  await refused(factors.confirmTotp({ code: '000000' }), Code.PermissionDenied, 'FACTOR_WRONG')
  const { recoveryCodes } = await factors.confirmTotp({ code: codeOf(setup.secret) })
  assert.equal(new Set(recoveryCodes).size, 10)
  await refused(factors.beginTotp({}), Code.PermissionDenied, 'STEP_UP_REQUIRED')

  const step = next(await signIn(user.email))
  assert.deepEqual(step.factors, [Factor.TOTP, Factor.RECOVERY_CODE])
  const { session, accessToken: token } = whole(await goOn(step.continuation, totp(codeOf(setup.secret, 1))))
  assert.deepEqual([session?.methods, session?.strength], [['pwd', 'otp'], Strength.TWO_FACTORS])
  const { amr, acr } = decodeJwt(token)
  assert.deepEqual([amr, acr], [['pwd', 'otp'], 'aal2'])
  const listed = await (await factorsOf(token)).listFactors({})
  assert.ok(listed.totpCreateTime && listed.totpLastUseTime && listed.password)
  assert.equal(listed.recoveryCodesLeft, 10)
  await refused((await factorsOf(token)).beginTotp({}), Code.AlreadyExists, 'FACTOR_EXISTS')
  await (await factorsOf(token)).deleteTotp({})
  const { rows } = await sql<{ said: string }>`select kind || ' ' || coalesce(details->>'factor', details->>'methods', reason) as said
    from audit_entries where subject_id = ${user.id} and kind <> 'suspicious_activity' order by time, id`.execute(story.db)
  const said = rows.map((row) => row.said)
  const added = ['sign_in pwd', 'sign_in pwd', 'confirm_totp FACTOR_WRONG', 'factor_add totp', 'begin_totp STEP_UP_REQUIRED']
  assert.deepEqual(said, [...added, 'sign_in_step pwd', 'sign_in pwd otp', 'factor_remove totp'])
})

test('a code counts once: fifty times at once over two replicas, one session', async () => {
  const replica = await story.startReplica()
  const { user, secret } = await somebodyWithTotp()
  const steps = await Promise.all(Array.from({ length: 10 }, async (_, at) => next(await signIn(user.email, at % 2 ? replica : story.app))))
  const code = codeOf(secret, 1)
  const tries = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) => goOn(steps[at % 10]?.continuation ?? '', totp(code), at % 2 ? replica : story.app)),
  )
  const reasons = tries.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
  assert.equal(tries.length - reasons.length, 1, [...new Set(reasons)].join('; '))
  const later = next(await signIn(user.email))
  await refused(goOn(later.continuation, totp(code)), Code.PermissionDenied, 'FACTOR_WRONG')
})

test('wrong codes run out for a person, whatever sign-in they belong to, and recovery codes stay open', async () => {
  const { user, recoveryCodes } = await somebodyWithTotp()
  for (let round = 0; round < 4; round++) {
    const { continuation } = next(await signIn(user.email))
    for (let wrong = 0; wrong < 5; wrong++) await refused(goOn(continuation, totp('000000')), Code.PermissionDenied, 'FACTOR_WRONG')
    await refused(goOn(continuation, totp('000000')), Code.Unauthenticated, 'CONTINUATION_INVALID')
  }
  const { continuation } = next(await signIn(user.email))
  await refused(goOn(continuation, totp('000000')), Code.ResourceExhausted, 'LIMIT_EXCEEDED')
  whole(await goOn(continuation, recovery(recoveryCodes[0] ?? '')))
  // Long before that the person was asked, once.
  assert.deepEqual(
    (await suspicionsToldOf(story.db, user.id)).filter((told) => told.includes('FACTOR')),
    ['SECOND_FACTOR_GUESSED +'],
  )
  const exposed = await (await fetch(`http://127.0.0.1:${story.app.ports.metrics}/metrics`)).text()
  assert.match(exposed, /gatehouse_suspicions_total\{kind="second_factor_guessed"[^}]*\} [1-9]/)
})

test('a recovery code signs in once, however it is typed; new ones end those before', async () => {
  const { user, recoveryCodes } = await somebodyWithTotp()
  const [first = '', second = ''] = recoveryCodes
  const { accessToken, session } = whole(
    await goOn(next(await signIn(user.email)).continuation, recovery(` ${first.toUpperCase().replaceAll('-', '')} `)),
  )
  assert.deepEqual(session?.methods, ['pwd', 'rcv'])
  await refused(goOn(next(await signIn(user.email)).continuation, recovery(first)), Code.PermissionDenied, 'FACTOR_WRONG')
  const factors = await factorsOf(accessToken)
  assert.equal((await factors.listFactors({})).recoveryCodesLeft, 9)
  const { recoveryCodes: fresh } = await factors.makeRecoveryCodes({})
  await refused(goOn(next(await signIn(user.email)).continuation, recovery(second)), Code.PermissionDenied, 'FACTOR_WRONG')
  const parallel = await Promise.allSettled(
    (await Promise.all([1, 2, 3].map(async () => next(await signIn(user.email))))).map(({ continuation }) =>
      goOn(continuation, recovery(fresh[0] ?? '')),
    ),
  )
  assert.equal(parallel.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a session from before the second factor changes nothing until it is raised by both', async () => {
  const user = await somebody()
  const other = whole(await signIn(user.email))
  const { accessToken } = whole(await signIn(user.email))
  const factors = await factorsOf(accessToken)
  const { secret } = await factors.beginTotp({})
  await factors.confirmTotp({ code: codeOf(secret) })
  const fromBefore = await factorsOf(other.accessToken)
  await refused(fromBefore.deleteTotp({}), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  await refused(fromBefore.makeRecoveryCodes({}), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  const account = await story.grpc(AccountService, bearer(other.accessToken))
  const changes = { currentPassword: password, newPassword: 'another correct horse' }
  await refused(account.changePassword(changes), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  const address = { email: 'moved@example.com', password }
  await refused(account.requestEmailChange(address), Code.PermissionDenied, 'STEP_UP_REQUIRED')

  const sessions = await sessionsOf(other.accessToken)
  const { nextStep } = await sessions.beginStepUp({ strength: Strength.ONE_FACTOR })
  assert.deepEqual(nextStep?.factors, [Factor.TOTP, Factor.RECOVERY_CODE, Factor.PASSWORD])
  const half = await sessions.completeStepUp({ continuation: nextStep?.continuation ?? '', proof: passwordProof })
  const step = next(half.result)
  assert.deepEqual(step.factors, [Factor.TOTP, Factor.RECOVERY_CODE])
  // The password once more is no second factor.
  await refused(sessions.completeStepUp({ continuation: step.continuation, proof: passwordProof }), Code.PermissionDenied, 'FACTOR_WRONG')
  const raised = whole((await sessions.completeStepUp({ continuation: step.continuation, proof: totp(codeOf(secret, 1)) })).result)
  assert.deepEqual([raised.session?.id, raised.session?.strength], [other.session?.id, Strength.TWO_FACTORS])
  assert.ok((await (await story.grpc(AccountService, bearer(raised.accessToken))).requestEmailChange(address)).challengeId)
  await (await factorsOf(raised.accessToken)).deleteTotp({})
  whole(await signIn(user.email))
})

test('a sign-in of long ago has to be confirmed, and the refusal says how fresh it must be', async () => {
  const { refreshToken, session } = whole(await signIn((await somebody()).email))
  await story.db
    .updateTable('sessions')
    .set({ auth_time: new Date(Date.now() - 601_000) })
    .where('id', '=', session?.id ?? '')
    .execute()
  const { signedIn } = await (await story.grpc(SessionService)).refreshSession({ refreshToken })
  const factors = await factorsOf(signedIn?.accessToken ?? '')
  await refused(factors.beginTotp({}), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  const sessions = await sessionsOf(signedIn?.accessToken ?? '')
  const { nextStep } = await sessions.beginStepUp({})
  const { result } = await sessions.completeStepUp({ continuation: nextStep?.continuation ?? '', proof: passwordProof })
  assert.ok((await (await factorsOf(whole(result).accessToken)).beginTotp({})).secret)
})

test('a continuation of one person takes no factor of another, and ends with all sessions', async () => {
  const [ada, bob] = [await somebodyWithTotp(), await somebodyWithTotp()]
  const { continuation } = next(await signIn(ada.user.email))
  await refused(goOn(continuation, totp(codeOf(bob.secret, 1))), Code.PermissionDenied, 'FACTOR_WRONG')
  await refused(goOn(continuation, recovery(bob.recoveryCodes[0] ?? '')), Code.PermissionDenied, 'FACTOR_WRONG')
  const userService = await story.grpc(SessionService, { 'gatehouse-tenant': tenant }, 'user')
  await userService.revokePersonSessions({ userId: ada.user.id })
  await refused(goOn(continuation, totp(codeOf(ada.secret, 1))), Code.Unauthenticated, 'CONTINUATION_INVALID')
  whole(await goOn(next(await signIn(ada.user.email)).continuation, totp(codeOf(ada.secret, 1))))
})

test('the store holds no secret that could be used', async () => {
  const { secret, recoveryCodes, user } = await somebodyWithTotp()
  const rows = await Promise.all([
    story.db.selectFrom('totp_factors').selectAll().where('user_id', '=', user.id).execute(),
    story.db.selectFrom('recovery_codes').selectAll().where('user_id', '=', user.id).execute(),
  ])
  const dump = inspect(
    rows.flat().map((row) => Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value))),
  )
  for (const each of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))]) assert.ok(!dump.includes(each))
})
