import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fromBinary } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type Client, Code } from '@connectrpc/connect'
import { SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { type FactorsChanged, FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { refused } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { openStory, type Story } from './open-story.ts'
import { type PasskeyOwner, passkeyOwner, password, signInWith } from './passkey-owner.ts'
import { codeOf } from './totp-code.ts'

const tenant = 'default'
let story: Story
let access: Client<typeof AccessService>
before(async () => {
  story = await openStory()
  const { db } = story
  const lifetimes = { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 }
  const keys = createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  const batches = createBatches({ db, users: story.people.users })
  const { token } = await mintAdministratorToken({ db, batches, keys, now: Date.now, lifetimes }, { tenant, name: 'robot' })
  access = await story.grpc(AccessService, { authorization: `Bearer ${token}` })
  await access.createRole({ name: 'helpdesk', permissions: ['auth.factors.remove'] })
})
after(async () => story[Symbol.asyncDispose]())

const everything = { seconds: 0n }
const bind = (role: string, { user }: PasskeyOwner, more: { expireTime?: ReturnType<typeof timestampFromDate> } = {}) =>
  access.createBinding({ role, subject: { kind: SubjectKind.PERSON, id: user.id }, ...more })

/** Somebody with that role, in a session that showed a passkey a moment ago. */
async function holderOf(role: string): Promise<PasskeyOwner> {
  const holder = await passkeyOwner(story)
  await bind(role, holder)
  await holder.raise((await holder.register()).authenticator)
  return holder
}

/** Adds an authenticator app, as whoever has the session could. */
async function addTotp(owner: PasskeyOwner): Promise<void> {
  const factors = await owner.as(FactorService)
  const { secret } = await factors.beginTotp({})
  await factors.confirmTotp({ code: codeOf(secret) })
}

const signIn = async ({ user }: PasskeyOwner) =>
  (await (await story.grpc(SessionService)).signIn({ email: user.email, password })).result.case

async function changesOf({ user }: PasskeyOwner): Promise<string[]> {
  const { rows } = await sql<{ payload: Uint8Array }>`
    select payload from outbox where key = ${user.id} and type = ${FactorsChangedSchema.typeName} order by version`.execute(story.db)
  return rows
    .map(({ payload }) => fromBinary(FactorsChangedSchema, payload))
    .map(({ change, version }: FactorsChanged) => `${change} ${version}`)
}

test('whoever is locked out by an app that a thief added is let in by an administrator, once, on record and told', async () => {
  const owner = await passkeyOwner(story)
  const administrator = await holderOf('administrator')
  const before = timestampFromDate(new Date())
  await addTotp(owner)
  assert.equal(await signIn(owner), 'nextStep')
  const factors = await administrator.as(FactorService)
  const remove = async () => (await factors.removeFactorsOfUser({ userId: owner.user.id, addedSince: before })).removedFactors
  const removed = await remove()
  assert.deepEqual(removed.map(({ factor }) => factor).sort(), [Factor.TOTP, Factor.RECOVERY_CODE])
  for (const { createTime } of removed) assert.ok(createTime && createTime.seconds >= before.seconds)
  assert.equal(await signIn(owner), 'signedIn')
  assert.deepEqual(await remove(), [])

  const [added, ...told] = await changesOf(owner)
  assert.ok(added?.startsWith('totp_added '))
  assert.deepEqual(told.map((each) => each.split(' ')[0]).sort(), ['recovery_codes_removed', 'totp_removed'])
  assert.equal(new Set(told.map((each) => each.split(' ')[1])).size, 2)
  const { rows } = await sql<{ actor: string; factor: string; session: string }>`
    select actor_id as actor, details->>'factor' as factor, session_id as session from audit_entries
    where kind = 'factor_remove' and result = 'done' and subject_id = ${owner.user.id} order by factor`.execute(story.db)
  const by = { actor: administrator.user.id, session: administrator.session.session?.id }
  assert.deepEqual(rows, [
    { ...by, factor: 'recovery_codes' },
    { ...by, factor: 'totp' },
  ])
})

test('what was there before the time stays, and codes that stood for a factor go with the last one', async () => {
  const owner = await passkeyOwner(story)
  const administrator = await holderOf('administrator')
  const own = await owner.register()
  await owner.raise(own.authenticator)
  for (const table of ['passkeys', 'recovery_codes'])
    await sql`update ${sql.table(table)} set create_time = create_time - interval '1 day' where user_id = ${owner.user.id}`.execute(
      story.db,
    )
  const added = await owner.register()
  const factors = await administrator.as(FactorService)
  const since = timestampFromDate(new Date(Date.now() - 3_600_000))
  const { removedFactors } = await factors.removeFactorsOfUser({ userId: owner.user.id, addedSince: since })
  assert.deepEqual(
    removedFactors.map(({ factor }) => factor),
    [Factor.PASSKEY],
  )
  await refused(signInWith(story, added.authenticator), Code.Unauthenticated, 'PASSKEY_INVALID')
  await signInWith(story, own.authenticator)
  assert.equal((await (await owner.as(FactorService)).listFactors({})).recoveryCodesLeft, 10)

  await sql`update recovery_codes set create_time = now() - interval '1 year' where user_id = ${owner.user.id}`.execute(story.db)
  await factors.removeFactorsOfUser({ userId: owner.user.id, addedSince: timestampFromDate(new Date(Date.now() - 2 * 86_400_000)) })
  assert.equal((await (await owner.as(FactorService)).listFactors({})).recoveryCodesLeft, 0)
  assert.equal(await signIn(owner), 'signedIn')
})

test('factors are taken away by whoever may, has shown two a moment ago, and holds all that the person holds', async () => {
  const [stranger, weak, helper, member] = [
    await holderOf('member'),
    await passkeyOwner(story),
    await holderOf('helpdesk'),
    await passkeyOwner(story),
  ]
  await bind('helpdesk', weak)
  await addTotp(member)
  const remove = async (who: PasskeyOwner, { user }: PasskeyOwner) =>
    (await who.as(FactorService)).removeFactorsOfUser({ userId: user.id, addedSince: everything })
  await refused(remove(stranger, member), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(remove(weak, member), Code.PermissionDenied, 'STEP_UP_REQUIRED')

  const [boss, later] = [await holderOf('administrator'), await holderOf('member')]
  await bind('administrator', later, { expireTime: timestampFromDate(new Date(Date.now() + 3_600_000)) })
  for (const above of [boss, later]) await refused(remove(helper, above), Code.PermissionDenied, 'PERSON_HOLDS_MORE')
  assert.equal((await (await boss.as(FactorService)).listFactors({})).recoveryCodesLeft, 10)
  const { rows } = await sql<{ reason: string; actor: string }>`select reason, actor_id as actor from audit_entries
    where kind = 'factor_remove' and result = 'refused' and subject_id = ${boss.user.id}`.execute(story.db)
  assert.deepEqual(rows, [{ reason: 'PERSON_HOLDS_MORE', actor: helper.user.id }])

  assert.equal((await remove(helper, member)).removedFactors.length, 2)
  assert.equal((await remove(boss, later)).removedFactors.length, 2)
  const none = await helper.as(FactorService)
  await refused(none.removeFactorsOfUser({ userId: member.user.id }), Code.InvalidArgument, 'INVALID_REQUEST')
})
