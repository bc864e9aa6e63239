import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { EnrolmentService } from '@gatehouse/contracts/gatehouse/auth/v1/enrolment_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { SecondFactor_RequiredFor as RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { Factor, type NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { administratorRole, Strength } from '@gatehouse/identity'
import type { App } from '@gatehouse/service'
import { refused } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { bindRole } from './bind-role.ts'
import { openPolicyStory, type PolicyStory, tenantOf } from './policy-story.ts'
import { softwareAuthenticator } from './software-authenticator.ts'
import { codeOf } from './totp-code.ts'

let story: PolicyStory
before(async () => {
  story = await openPolicyStory()
})
after(async () => story[Symbol.asyncDispose]())

const everybody = { secondFactor: { requiredFor: RequiredFor.EVERYBODY } }
const enrolment = (tenant: string, app?: App) => story.grpc(EnrolmentService, tenantOf(tenant), 'billing', app)

/** A sign-in that asks for a second factor to be added. */
async function halfway(tenant: string, email: string, app?: App): Promise<NextStep> {
  const { case: kind, value } = await story.startSignIn(tenant, email, app)
  assert.equal(kind, 'nextStep')
  return value as NextStep
}

test('whoever must have a second factor and has none adds one before there is a session', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy(everybody)
  const step = await halfway(tenant, member.email)
  assert.deepEqual([step.factors, step.enrol], [[], [Factor.PASSKEY, Factor.TOTP]])
  const client = await enrolment(tenant)
  const { continuation } = step
  const { secret } = await client.beginTotpEnrolment({ continuation })
  await refused(client.completeTotpEnrolment({ continuation, code: '000000' }), Code.PermissionDenied, 'FACTOR_WRONG')
  const { signedIn, recoveryCodes } = await client.completeTotpEnrolment({ continuation, code: codeOf(secret) })
  assert.deepEqual([signedIn?.session?.methods, signedIn?.session?.strength], [['pwd', 'otp'], Strength.TWO_FACTORS])
  assert.equal(recoveryCodes.length, 10)
  await refused(client.beginTotpEnrolment({ continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  assert.ok(await story.refresh(tenant, signedIn?.refreshToken ?? ''))
  const again = await halfway(tenant, member.email)
  assert.deepEqual([again.factors, again.enrol], [[Factor.TOTP, Factor.RECOVERY_CODE], []])
})

test('a passkey may be the first second factor too, and ends the sign-in', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy(everybody)
  const { continuation } = await halfway(tenant, member.email)
  const [client, replica] = [await enrolment(tenant), await enrolment(tenant, await story.replica())]
  const authenticator = softwareAuthenticator({ origin: `http://${tenant}.test` })
  const begun = await client.beginPasskeyEnrolment({ continuation })
  const options = JSON.parse(begun.optionsJson)
  assert.deepEqual([options.rp.id, options.user.name], [`${tenant}.test`, member.email])
  const complete = (passkeyJson: string, attemptId = begun.attemptId) =>
    replica.completePasskeyEnrolment({ continuation, attemptId, passkeyJson, name: 'My laptop' })
  const foreign = authenticator.register(begun.optionsJson, { origin: 'http://elsewhere.test' })
  await refused(complete(foreign), Code.Unauthenticated, 'PASSKEY_INVALID')
  // Whatever came of it, the attempt is used up; the sign-in is not.
  await refused(complete(authenticator.register(begun.optionsJson)), Code.Unauthenticated, 'CONTINUATION_INVALID')
  const again = await client.beginPasskeyEnrolment({ continuation })
  const { signedIn, recoveryCodes } = await complete(authenticator.register(again.optionsJson), again.attemptId)
  assert.deepEqual([signedIn?.session?.methods, signedIn?.session?.strength], [['pwd', 'pop', 'user'], Strength.PHISHING_RESISTANT])
  assert.equal(recoveryCodes.length, 10)
  assert.ok(await story.refresh(tenant, signedIn?.refreshToken ?? ''))
  const next = await halfway(tenant, member.email)
  assert.deepEqual([next.factors, next.enrol], [[Factor.PASSKEY, Factor.RECOVERY_CODE], []])
  const proof = { proof: { case: 'passkeyJson', value: authenticator.assert(next.passkeyOptionsJson) } } as const
  const sessions = await story.grpc(SessionService, tenantOf(tenant), 'billing')
  assert.equal((await sessions.continueSignIn({ continuation: next.continuation, proof })).result.case, 'signedIn')
})

test('a passkey of another person’s sign-in, or of whoever has a factor, is none; where passkeys are off, the app is left', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy(everybody)
  const other = await story.person(tenant)
  const client = await enrolment(tenant)
  const [mine, theirs] = [await halfway(tenant, member.email), await halfway(tenant, other.email)]
  const { attemptId, optionsJson } = await client.beginPasskeyEnrolment({ continuation: theirs.continuation })
  const passkeyJson = softwareAuthenticator({ origin: `http://${tenant}.test` }).register(optionsJson)
  await refused(
    client.completePasskeyEnrolment({ continuation: mine.continuation, attemptId, passkeyJson }),
    Code.Unauthenticated,
    'CONTINUATION_INVALID',
  )
  const { secret } = await client.beginTotpEnrolment({ continuation: theirs.continuation })
  await client.completeTotpEnrolment({ continuation: theirs.continuation, code: codeOf(secret) })
  const asked = await halfway(tenant, other.email)
  await refused(client.beginPasskeyEnrolment({ continuation: asked.continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  await admin.updatePolicy({ factors: { password: true, totp: true } })
  const { continuation, enrol } = await halfway(tenant, member.email)
  assert.deepEqual(enrol, [Factor.TOTP])
  await refused(client.beginPasskeyEnrolment({ continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  await admin.updatePolicy({ factors: { password: true, passkey: true } })
  assert.deepEqual((await halfway(tenant, member.email)).enrol, [Factor.PASSKEY])
})

test('a half-finished sign-in opens nothing else, and its way to a new factor is closed to whoever has one', async () => {
  const [{ tenant, admin, member }, elsewhere] = [await story.tenant(), await story.tenant()]
  await story.withTotp(tenant, member)
  const asked = await halfway(tenant, member.email)
  const client = await enrolment(tenant)
  await refused(client.beginTotpEnrolment({ continuation: asked.continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  await admin.updatePolicy(everybody)
  await refused(client.beginTotpEnrolment({ continuation: asked.continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  const other = await story.person(tenant)
  const { continuation } = await halfway(tenant, other.email)
  await refused((await enrolment(elsewhere.tenant)).beginTotpEnrolment({ continuation }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  const bearer = { authorization: `Bearer ${continuation}` }
  await refused((await story.grpc(FactorService, bearer)).listFactors({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
  await refused((await story.grpc(SessionService, bearer)).listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
  const proof = { proof: { case: 'password', value: story.password } } as const
  const sessions = await story.grpc(SessionService, tenantOf(tenant), 'billing')
  await refused(sessions.continueSignIn({ continuation, proof }), Code.PermissionDenied, 'FACTOR_WRONG')
})

test('of fifty first codes at once over two replicas one signs in, and whoever else is halfway in begins anew', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy(everybody)
  const replica = await story.replica()
  const steps = await Promise.all(Array.from({ length: 10 }, (_, at) => halfway(tenant, member.email, at % 2 ? replica : story.app)))
  const [first] = steps
  const { secret } = await (await enrolment(tenant)).beginTotpEnrolment({ continuation: first?.continuation ?? '' })
  const code = codeOf(secret)
  const clients = [await enrolment(tenant), await enrolment(tenant, replica)]
  const tries = await Promise.allSettled(
    Array.from({ length: 40 }, async (_, at) =>
      clients[at % 2]?.completeTotpEnrolment({ continuation: steps[at % 10]?.continuation ?? '', code }),
    ),
  )
  const failed = tries.flatMap((each) => (each.status === 'rejected' ? [ConnectError.from(each.reason).code] : []))
  assert.equal(tries.length - failed.length, 1)
  for (const { continuation } of steps)
    await refused(clients[0]?.beginTotpEnrolment({ continuation }) ?? Promise.resolve(), Code.Unauthenticated, 'CONTINUATION_INVALID')
})

test('holders of a permission need a second factor, the others do not', async () => {
  const { tenant, admin, member } = await story.tenant()
  const boss = await story.person(tenant)
  const bossBefore = await story.signIn(tenant, boss.email)
  const memberBefore = await story.signIn(tenant, member.email)
  await admin.updatePolicy({ secondFactor: { requiredFor: RequiredFor.PERMISSION, permission: 'user.users.suspend' } })
  await bindRole(story.db, { tenant, subject_id: boss.id, role: administratorRole })
  assert.deepEqual((await halfway(tenant, boss.email)).enrol, [Factor.PASSKEY, Factor.TOTP])
  assert.ok(await story.signIn(tenant, member.email))
  await refused(story.refresh(tenant, bossBefore.refreshToken), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  assert.ok(await story.refresh(tenant, memberBefore.refreshToken))
})

test('who holds the permission by a role of the tenant’s own, in a group, on one thing and under a condition holds it', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy({ secondFactor: { requiredFor: RequiredFor.PERMISSION, permission: 'user.users.suspend' } })
  assert.ok(await story.signIn(tenant, member.email))
  await sql`insert into roles (tenant, id, name, description, permissions, version)
    values (${tenant}, ${randomUUID()}, 'bouncer', '', '{user.users.suspend}', 1)`.execute(story.db)
  const group = randomUUID()
  await sql`insert into group_members (tenant, group_id, member_id, member_kind)
    values (${tenant}, ${group}, ${member.id}, 'person')`.execute(story.db)
  const bind = (expireTime: Date) =>
    sql`insert into conditional_bindings (tenant, id, role, subject_kind, subject_id, resource, condition, expire_time)
    values (${tenant}, ${randomUUID()}, 'bouncer', 'group', ${group}, 'users/1', 'true', ${expireTime})`.execute(story.db)
  await bind(new Date(Date.now() - 1000))
  assert.ok(await story.signIn(tenant, member.email))
  await bind(new Date(Date.now() + 3_600_000))
  assert.deepEqual((await halfway(tenant, member.email)).enrol, [Factor.PASSKEY, Factor.TOTP])
})

test('a session of one factor ends at its next refresh when everybody needs two, and may add the second before', async () => {
  const { tenant, admin, member } = await story.tenant()
  const replica = await story.replica()
  const { accessToken, refreshToken } = await story.signIn(tenant, member.email)
  await admin.updatePolicy(everybody)
  const factors = await story.grpc(FactorService, { authorization: `Bearer ${accessToken}` })
  const { secret } = await factors.beginTotp({})
  await factors.confirmTotp({ code: codeOf(secret) })
  for (const app of [story.app, replica, await story.startReplica()])
    await refused(story.refresh(tenant, refreshToken, app), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  const raised = await story.signInWithTotp(tenant, member, secret, 1)
  assert.ok(await story.refresh(tenant, raised.refreshToken, replica))
})
