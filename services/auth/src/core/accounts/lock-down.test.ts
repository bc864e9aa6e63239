import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { sql } from 'kysely'
import {
  type AccountHouse,
  goodPassword,
  noRetry,
  openAccountHouse,
  otherPassword,
  otherTenant,
  refuses,
  tenant,
} from '../../../test/account-house.ts'
import { refresh, whole } from '../../../test/sign-somebody-in.ts'
import { suspicionsIn, toldOf } from '../../../test/told-suspicions.ts'
import { codeOf } from '../../../test/totp-code.ts'
import { findFactors } from '../../store/factors.ts'
import { insertPasskey, type PasskeyRow } from '../../store/passkeys.ts'
import { deriveSecret } from '../challenges/derive-secret.ts'
import { revealSecret } from '../challenges/reveal-secret.ts'
import { beginTotp, confirmTotp } from '../factors/totp.ts'
import { signIn as signInStep } from '../sessions/sign-in.ts'
import { confirmEmailChange } from './confirm-email-change.ts'
import { forgetPerson } from './forget-person.ts'
import { lockDown } from './lock-down.ts'
import { requestEmailChange } from './request-email-change.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resetPassword as resetPasswordStep } from './reset-password.ts'

const signIn = whole(signInStep)
const resetPassword = whole(resetPasswordStep)

let house: AccountHouse
before(async () => {
  house = await openAccountHouse()
})
after(async () => house[Symbol.asyncDispose]())

let counter = 0
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const from = { userAgent: firefox, source: '198.51.100.40' }

/** Somebody with a session and a known device, and the mail about a sign-in that was not theirs. */
async function attacked() {
  const email = `locked-${++counter}@example.com`
  const { userId } = await house.member(email)
  const at = { tenant, email, password: goodPassword }
  const own = await signIn(house.deps, { ...at, userAgent: 'own', source: '192.0.2.7' })
  await sql`delete from suspicion_marks where subject = ${userId}`.execute(house.deps.db)
  const thief = await signIn(house.deps, { ...at, ...from })
  const told = (await suspicionsIn(house.deps.db)).findLast((each) => each.userId === userId)
  assert.ok(told)
  const mail = await house.mailOf(told.challengeId)
  return { email, userId, own, thief, told, mail, token: mail.token }
}

/** When what the person's newest mail is about was, or so many seconds after that. */
async function happenedAt(userId: string, seconds: number): Promise<Date> {
  const { rows } = await sql<{ time: Date }>`select s.happen_time as time from suspicions s join challenges c
    on c.tenant = s.tenant and c.id = s.challenge_id where c.user_id = ${userId} order by time desc`.execute(house.deps.db)
  return new Date((rows[0]?.time.getTime() ?? 0) + seconds * 1000)
}

function passkeyOf(userId: string, time: Date): PasskeyRow {
  const [id, unknown] = [randomUUID(), Buffer.alloc(32)]
  const flags = { transports: [], backup_eligible: false, backed_up: false, sign_count: 0n }
  const row = { tenant, id, user_id: userId, credential_id: Buffer.from(id), public_key: unknown, name: 'Secret name', ...flags }
  return { ...row, create_time: time, last_use_time: null }
}

test('the mail asks in the person’s language and tells what, when and from where, and the database yields no token of it', async () => {
  const { email, mail, told, token } = await attacked()
  assert.deepEqual(told.kinds, [SuspicionKind.NEW_DEVICE, SuspicionKind.NEW_NETWORK])
  assert.deepEqual([mail.purpose, mail.address, mail.locale], [ChallengePurpose.SUSPICIOUS_ACTIVITY, email, 'de'])
  assert.deepEqual([mail.code, mail.tokenExpireSeconds], ['', 7 * 86_400])
  const { kinds, network } = mail.suspicion ?? {}
  assert.deepEqual([kinds, network], [told.kinds, '198.51.100.0/24'])
  assert.equal(mail.suspicion?.userAgent, firefox)
  assert.ok(!(await house.dump()).includes(token))
})

test('the link ends every session, forgets devices, closes the password and mails what sets a new one', async () => {
  const { email, userId, own, thief, token } = await attacked()
  const bystander = await attacked()
  const replica = house.replica()
  await lockDown(house.deps, { tenant, token })
  for (const { refreshToken } of [own, thief]) await refuses('REFRESH_TOKEN_INVALID', () => refresh(replica, refreshToken))
  assert.ok(await refresh(replica, bystander.thief.refreshToken))

  // The thief knows the password, and even has the owner's device.
  const again = { tenant, email, password: goodPassword, ...from }
  for (const deviceToken of ['', own.deviceToken, thief.deviceToken])
    await refuses('PASSWORD_GUESSED_TOO_OFTEN', () => signIn(replica, { ...again, deviceToken }))

  const [reset] = (await house.events()).filter(({ type }) => type.endsWith('.PasswordResetRequested')).slice(-1)
  const mail = await house.mailOf(reset?.key ?? '')
  assert.deepEqual([mail.purpose, mail.address], [ChallengePurpose.RESET_PASSWORD, email])
  const proof = { case: 'token', value: mail.token } as const
  // The thief knows it.
  const choose = (password: string) => resetPassword(house.deps, { tenant, challengeId: '', proof, password, place: from })
  await refuses('PASSWORD_TOO_WEAK', () => choose(goodPassword), { rule: 'previous' })
  await choose(otherPassword)
  await signIn(house.deps, { ...again, password: otherPassword })
  await refuses('EMAIL_OR_PASSWORD_WRONG', () => signIn(house.deps, again))

  const { rows } = await sql<{ kind: string; cause: string | null }>`
    select kind, details->>'cause' as cause from audit_entries
    where subject_id = ${userId} and kind in ('lock_down', 'session_end') and details->>'cause' is distinct from 'password_changed'
    order by kind, cause`.execute(house.deps.db)
  assert.deepEqual(rows, [{ kind: 'lock_down', cause: null }, ...Array(3).fill({ kind: 'session_end', cause: 'locked_down' })])
})

test('what was added since an hour before the mail’s moment is answered and stays, and what was there before is not', async () => {
  const { userId, thief, token } = await attacked()
  const inside = { tenant, userId, sessionId: thief.session?.id ?? '' }
  const bystander = await attacked()
  const since = await happenedAt(userId, -3600)
  const { deps } = house
  house.advance(60)
  const { secret } = await beginTotp(deps, inside)
  await confirmTotp(deps, inside, codeOf(secret, 0, deps.now()))
  await insertPasskey(deps.db, passkeyOf(userId, new Date(since.getTime() - 1)))
  await insertPasskey(deps.db, passkeyOf(userId, since))
  await insertPasskey(deps.db, passkeyOf(bystander.userId, new Date(deps.now())))
  const answer = await lockDown(deps, { tenant, token })
  assert.deepEqual(answer.since, since)
  assert.deepEqual(
    answer.added.map(({ factor }) => factor),
    ['passkey', 'totp', 'recovery_codes'],
  )
  assert.deepEqual(answer.added[0]?.create_time, since)
  const lately = new Date(since.getTime() + 3_660_000)
  for (const { create_time } of answer.added.slice(1)) assert.ok(create_time >= lately)
  assert.deepEqual(new Set(answer.added.flatMap(Object.keys)), new Set(['factor', 'create_time']))
  const { totp, passkeys, recoveryCodes } = await findFactors(deps.db, { tenant, userId })
  assert.deepEqual([totp, passkeys.length, recoveryCodes], [true, 2, 10])
  const { rows } = await sql<{ user_id: string; create_time: Date }>`select user_id, create_time from passkeys where held_back`.execute(
    deps.db,
  )
  assert.deepEqual(rows, [{ user_id: userId, create_time: since }])
})

test('an app that is confirmed at the same time is answered, or comes to nothing', async () => {
  const { deps } = house
  for (let times = 0; times < 10; times++) {
    const { userId, thief, token } = await attacked()
    const inside = { tenant, userId, sessionId: thief.session?.id ?? '' }
    const { secret } = await beginTotp(deps, inside)
    const confirming = confirmTotp(house.deps, inside, codeOf(secret, 0, deps.now()))
    const [locked] = await Promise.all([lockDown(deps, { tenant, token }), confirming.catch(() => {})])
    const { totp } = await findFactors(deps.db, { tenant, userId })
    assert.equal(
      locked.added.some(({ factor }) => factor === 'totp'),
      totp,
    )
  }
})

test('where nothing was added nothing is answered', async () => {
  const { userId, token } = await attacked()
  const since = await happenedAt(userId, -3600)
  assert.deepEqual(await lockDown(house.deps, { tenant, token }), { since, added: [] })
})

test('after a lock-down every device and network is a new one', async () => {
  const { email, userId, own, token } = await attacked()
  const before = (await toldOf(house.deps.db, userId)).length
  const { rows } = await sql<{ password_hash: string }>`select password_hash from credentials where user_id = ${userId}`.execute(
    house.deps.db,
  )
  await lockDown(house.deps, { tenant, token })
  await sql`delete from password_failures where user_id = ${userId}`.execute(house.deps.db)
  await sql`update credentials set password_hash = ${rows[0]?.password_hash} where user_id = ${userId}`.execute(house.deps.db)
  await signIn(house.deps, { tenant, email, password: goodPassword, ...from, deviceToken: own.deviceToken })
  assert.deepEqual((await toldOf(house.deps.db, userId)).slice(before), ['NEW_DEVICE NEW_NETWORK +'])
})

test('a sign-in that is under way meanwhile opens nothing, and does not open the password for the next one', async () => {
  const { email, token } = await attacked()
  const [verified, locked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { hashing } = house.deps
  const verify: typeof hashing.verify = async (...input) => {
    const right = await hashing.verify(...input)
    verified.resolve()
    await locked.promise
    return right
  }
  const at = { tenant, email, password: goodPassword, ...from }
  const underWay = refuses('EMAIL_OR_PASSWORD_WRONG', () => signIn({ ...house.deps, hashing: { ...hashing, verify } }, at))
  await verified.promise
  await lockDown(house.deps, { tenant, token })
  locked.resolve()
  await underWay
  await assert.rejects(signIn(house.deps, at))
})

test('a change of the address that was asked for before goes nowhere', async () => {
  const { email, userId, thief, token } = await attacked()
  const owner = { tenant, userId, sessionId: thief.session?.id ?? '' }
  const challengeId = await requestEmailChange(house.deps, { ...owner, email: 'thief@example.com', password: goodPassword, retry: noRetry })
  const { token: value } = await house.mailOf(challengeId)
  await lockDown(house.deps, { tenant, token })
  const confirmed = (sessionId: string) =>
    confirmEmailChange(house.deps, { ...owner, sessionId, challengeId: '', proof: { case: 'token', value } })
  // The token of the ended session is not ten minutes old, and another session does not make the link good again.
  await refuses('ACCESS_TOKEN_INVALID', () => confirmed(owner.sessionId))
  const [{ token: reset }] = [
    await house.mailOf(await requestPasswordReset(house.deps, { tenant, email, retry: noRetry, withheld: false })),
  ]
  const back = await resetPassword(house.deps, {
    tenant,
    challengeId: '',
    proof: { case: 'token', value: reset },
    password: otherPassword,
    place: from,
  })
  await refuses('CHALLENGE_INVALID', () => confirmed(back.session?.id ?? ''))
  assert.equal(house.people.of(tenant, userId).email, email)
})

test('a link locks down once, however often at once, and is refused like any other that is over', async () => {
  const { token, userId } = await attacked()
  const replicas = [house.deps, house.replica()] as const
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, at) => lockDown(replicas[at % 2 === 0 ? 0 : 1], { tenant, token })),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.reason, 'CHALLENGE_INVALID')
  const { rows } = await sql`select from audit_entries where subject_id = ${userId} and kind = 'lock_down'`.execute(house.deps.db)
  assert.equal(rows.length, 1)
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant, token }))
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant, token: 'never was one' }))
})

test('the links of earlier mails are over with it; in another tenant, for another purpose and after seven days none is good', async () => {
  const { told, token } = await attacked()
  const second = deriveSecret(house.deps.challengeKeys.current, { tenant, challengeId: told.challengeId, deliveryId: randomUUID() }).token
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant, token: second }))
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant: otherTenant, token }))
  const reset = { tenant, challengeId: '', proof: { case: 'token', value: token } as const, password: otherPassword, place: from }
  await refuses('CHALLENGE_INVALID', () => resetPassword(house.deps, reset))
  const another = await house.mailOf(told.challengeId)
  await lockDown(house.deps, { tenant, token: another.token })
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant, token }))

  const late = await attacked()
  const inTime = await attacked()
  house.advance(7 * 86_400 - 60)
  await lockDown(house.deps, { tenant, token: inTime.token })
  house.advance(61)
  await refuses('CHALLENGE_INVALID', () => lockDown(house.deps, { tenant, token: late.token }))
})

test('while the user service is away nothing is used up', async () => {
  const { token, userId } = await attacked()
  let away = true
  house.people.before('batchGetUsers', () => {
    if (away) throw new Error('away')
  })
  await assert.rejects(lockDown(house.deps, { tenant, token }))
  away = false
  await lockDown(house.deps, { tenant, token })
  assert.ok(userId)
})

test('nobody who is suspended or gone is asked, and nothing is left of where a deleted person was', async () => {
  const { told, userId } = await attacked()
  house.people.of(tenant, userId).state = User_State.SUSPENDED
  const mail = await revealSecret(house.deps, { tenant, challengeId: told.challengeId, deliveryId: randomUUID() })
  assert.deepEqual([mail.purpose, mail.address, mail.token], [ChallengePurpose.NOTHING, '', ''])
  await house.deps.db.transaction().execute((tx) => forgetPerson(tx, { tenant, userId }))
  const { rows } = await sql<{ networks: string[] }>`select networks from session_epochs where user_id = ${userId}`.execute(house.deps.db)
  assert.deepEqual(rows, [{ networks: [] }])
  assert.deepEqual((await sql`select from suspicions where challenge_id = ${told.challengeId}`.execute(house.deps.db)).rows, [])
})
