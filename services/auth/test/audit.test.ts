import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { type AuditEntry, AuditResult } from '@gatehouse/contracts/gatehouse/auth/v1/audit_pb'
import { AuditService } from '@gatehouse/contracts/gatehouse/auth/v1/audit_service_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { encodePageToken } from '@gatehouse/postgres'
import { refused } from '@gatehouse/testkit'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

const password = 'correct horse battery'
const wrong = 'wrong horse battery'
let story: Story
let passwordHash: string
let keys: Parameters<typeof mintAdministratorToken>[0]
before(async () => {
  story = await openStory()
  passwordHash = await createHashPool().hash(password)
  const { db } = story
  const lifetimes = { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 }
  const ring = createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  keys = { db, keys: ring, now: Date.now, lifetimes, batches: createBatches({ db, users: story.people.users }) }
})
after(async () => story[Symbol.asyncDispose]())

let counter = 0
async function somebody(state: User_State = User_State.ACTIVE): Promise<User> {
  const user = story.people.add('default', { email: `audit-${++counter}@example.com`, state })
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  return user
}

/** A trace of our own, so that the entry of a call is known by its request. */
function traced(): { traceId: string; headers: Record<string, string> } {
  const traceId = randomBytes(16).toString('hex')
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` } }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function readers(tenant = 'default') {
  const { token } = await mintAdministratorToken(keys, { tenant, name: 'auditor' })
  return await story.grpc(AuditService, bearer(token))
}

/** What an entry says, without what differs each time. */
const said = ({ kind, result, reason, actor, subjectId, sessionId }: AuditEntry) => ({
  kind,
  result: result === AuditResult.DONE ? 'done' : reason,
  actor: `${actor?.kind} ${actor?.id}`.trim(),
  subjectId,
  sessionId,
})

test('a sign-in that fails, one that works, a step-up and the end of the session leave entries with who, whom, from where and in which request', async () => {
  const user = await somebody()
  const audit = await readers()
  const entriesOf = async (traceId: string) => (await audit.listAuditEntries({ filter: { traceId } })).entries

  const failing = traced()
  await refused(
    (await story.grpc(SessionService, failing.headers)).signIn({ email: user.email, password: wrong }),
    Code.Unauthenticated,
    'EMAIL_OR_PASSWORD_WRONG',
  )
  // It was written before the answer.
  const [refusal, ...none] = await entriesOf(failing.traceId)
  assert.ok(refusal)
  assert.deepEqual(none, [])
  assert.deepEqual(said(refusal), {
    kind: 'sign_in',
    result: 'EMAIL_OR_PASSWORD_WRONG',
    actor: 'stranger',
    subjectId: user.id,
    sessionId: '',
  })
  assert.equal(refusal.network, '127.0.0.0/24')

  const working = traced()
  const { result } = await (await story.grpc(SessionService, working.headers)).signIn({ email: user.email, password })
  const { session, accessToken } = result.value as SignedInResult
  const sessionId = session?.id ?? ''
  const actor = `person ${user.id}`
  const signedIn = await entriesOf(working.traceId)
  assert.deepEqual(signedIn.map(said), [{ kind: 'sign_in', result: 'done', actor, subjectId: user.id, sessionId }])
  assert.deepEqual(signedIn[0]?.details, { methods: 'pwd', client: 'gatehouse' })

  const raising = traced()
  const own = await story.grpc(SessionService, { ...bearer(accessToken), ...raising.headers })
  const { nextStep } = await own.beginStepUp({})
  const continuation = nextStep?.continuation ?? ''
  const shown = (value: string) => ({ continuation, proof: { proof: { case: 'password', value } } }) as const
  await refused(own.completeStepUp(shown(wrong)), Code.PermissionDenied, 'FACTOR_WRONG')
  const raised = (await own.completeStepUp(shown(password))).result.value as SignedInResult
  assert.deepEqual((await entriesOf(raising.traceId)).map(said).reverse(), [
    { kind: 'step_up', result: 'FACTOR_WRONG', actor, subjectId: user.id, sessionId },
    { kind: 'step_up', result: 'done', actor, subjectId: user.id, sessionId },
  ])

  const ending = traced()
  await (await story.grpc(SessionService, { ...bearer(raised.accessToken), ...ending.headers })).revokeSession({ sessionId })
  assert.deepEqual((await entriesOf(ending.traceId)).map(said), [
    { kind: 'session_end', result: 'done', actor, subjectId: user.id, sessionId },
  ])

  const all = await audit.listAuditEntries({ filter: { subjectId: user.id } })
  assert.deepEqual(
    all.entries.map(({ kind }) => kind),
    ['session_end', 'step_up', 'step_up', 'sign_in', 'sign_in'],
  )
  const text = JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  for (const secret of [password, wrong, user.email, accessToken, continuation]) assert.ok(!text.includes(secret))
})

test('in a browser the request id of the answer is that of the entry', async () => {
  const user = await somebody()
  const answer = await openBrowser(story.app.ports.web).call('SessionService/SignIn', { email: user.email, password: wrong })
  const traceId = String(answer.headers['x-trace-id'])
  const { entries } = await (await readers()).listAuditEntries({ filter: { traceId } })
  assert.deepEqual(
    entries.map(({ subjectId, reason }) => [subjectId, reason]),
    [[user.id, 'EMAIL_OR_PASSWORD_WRONG']],
  )
})

test('whoever tries a suspended account, and whoever is unknown, is on record, and both are told the same', async () => {
  const suspended = await somebody(User_State.SUSPENDED)
  const audit = await readers()
  const seen = async (email: string) => {
    const { traceId, headers } = traced()
    await refused((await story.grpc(SessionService, headers)).signIn({ email, password }), Code.Unauthenticated, 'EMAIL_OR_PASSWORD_WRONG')
    const { entries } = await audit.listAuditEntries({ filter: { traceId } })
    return entries.map(({ kind, subjectId, details: { activity: _, ...details } }) => ({ kind, subjectId, details }))
  }
  assert.deepEqual(await seen(suspended.email), [
    { kind: 'sign_in', subjectId: suspended.id, details: { state: 'suspended' } },
    { kind: 'suspicious_activity', subjectId: suspended.id, details: { kinds: 'suspended_account_tried' } },
  ])
  assert.deepEqual(await seen('nobody-at-all@example.com'), [{ kind: 'sign_in', subjectId: '', details: {} }])
})

test('a refresh token that comes back is on record with the session that it ends', async () => {
  const user = await somebody()
  const sessions = await story.grpc(SessionService)
  const first = (await sessions.signIn({ email: user.email, password })).result.value as SignedInResult
  const { signedIn: second } = await sessions.refreshSession({ refreshToken: first.refreshToken })
  await sessions.refreshSession({ refreshToken: second?.refreshToken ?? '' })
  await refused(sessions.refreshSession({ refreshToken: first.refreshToken }), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  const { entries } = await (await readers()).listAuditEntries({ filter: { subjectId: user.id, sessionId: first.session?.id ?? '' } })
  assert.deepEqual(entries.map(({ kind, actor, details }) => [kind, actor?.kind, details.cause]).sort(), [
    ['refresh_token_reuse', 'stranger', undefined],
    ['session_end', 'stranger', 'token_reused'],
    ['sign_in', 'person', undefined],
    ['suspicious_activity', 'stranger', undefined],
  ])
})

test('only whoever may read the audit log reads it, in every way, and a refused look is on record', async () => {
  const person = (await (await story.grpc(SessionService)).signIn({ email: (await somebody()).email, password })).result
    .value as SignedInResult
  const stream = async (of: AsyncIterable<unknown>) => {
    for await (const _ of of) return
  }
  const attempts = async (headers: Record<string, string>, workload?: 'user') => {
    const audit = await story.grpc(AuditService, headers, workload)
    return [
      () => audit.listAuditEntries({}),
      () => stream(audit.watchAuditEntries({})),
      () => stream(audit.exportAuditEntries({})),
      () => audit.listAuditCheckpoints({}),
    ]
  }
  for (const attempt of await attempts({})) await refused(attempt(), Code.Unauthenticated, 'CREDENTIALS_MISSING')
  for (const attempt of await attempts(bearer(person.accessToken))) await refused(attempt(), Code.PermissionDenied, 'PERMISSION_DENIED')
  for (const attempt of await attempts({ 'gatehouse-tenant': 'default' }, 'user'))
    await refused(attempt(), Code.PermissionDenied, 'PERMISSION_DENIED')
  const audit = await readers()
  await audit.listAuditEntries({})
  await audit.listAuditCheckpoints({})
  const filter = { actorId: person.user?.id ?? '', result: AuditResult.REFUSED }
  const { entries } = await audit.listAuditEntries({ filter })
  assert.deepEqual(
    entries.map(({ kind, details }) => [kind, details.permission]).sort(),
    ['export_audit_entries', 'list_audit_checkpoints', 'list_audit_entries', 'watch_audit_entries'].map((kind) => [
      kind,
      'auth.audit.read',
    ]),
  )
})

test('whoever may read it has the chain verified, a piece at a time, and nobody else', async () => {
  const user = await somebody()
  const signIn = async () => (await (await story.grpc(SessionService)).signIn({ email: user.email, password })).result
  const { accessToken } = (await signIn()).value as SignedInResult
  await refused((await story.grpc(AuditService, bearer(accessToken))).verifyAudit({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  const audit = await readers()
  await until(async () => (await audit.verifyAudit({})).entries > 2)
  const whole = await audit.verifyAudit({})
  assert.deepEqual([whole.firstBreak, whole.nextCursor], [undefined, ''])
  const { verifiedUntil } = await audit.verifyAudit({ fromPosition: 2n, untilPosition: 3n })
  assert.equal(verifiedUntil, 3n)
  await refused(audit.verifyAudit({ fromPosition: 3n, untilPosition: 2n }), Code.InvalidArgument, 'INVALID_REQUEST')
  await refused(audit.verifyAudit({ cursor: 'made-up' }), Code.InvalidArgument, 'PAGE_TOKEN_INVALID')
  await refused(audit.verifyAudit({ checkpoints: ['a.b.c'] }), Code.InvalidArgument, 'AUDIT_CHECKPOINT_INVALID')
})

test('what is refused again and again without cost is on record once a minute, with how often', async () => {
  const person = (await (await story.grpc(SessionService)).signIn({ email: (await somebody()).email, password })).result
    .value as SignedInResult
  const sessions = await story.grpc(SessionService, bearer(person.accessToken))
  for (let i = 0; i < 5; i++)
    await refused(sessions.revokeSessionsOfUser({ userId: crypto.randomUUID() }), Code.PermissionDenied, 'PERMISSION_DENIED')
  const { entries } = await (await readers()).listAuditEntries({ filter: { actorId: person.user?.id ?? '', result: AuditResult.REFUSED } })
  assert.deepEqual(
    entries.map(({ kind, reason }) => [kind, reason]),
    [['session_end', 'PERMISSION_DENIED']],
  )
})

test('whoever is refused by a limit is on record', async () => {
  const person = (await (await story.grpc(SessionService)).signIn({ email: (await somebody()).email, password })).result
    .value as SignedInResult
  const sessions = await story.grpc(SessionService, bearer(person.accessToken))
  const calls = await Promise.allSettled(Array.from({ length: 62 }, () => sessions.beginStepUp({})))
  assert.equal(calls.filter(({ status }) => status === 'rejected').length, 2)
  const { entries } = await (await readers()).listAuditEntries({ filter: { actorId: person.user?.id ?? '', result: AuditResult.REFUSED } })
  assert.deepEqual(
    entries.map(({ kind, reason }) => [kind, reason]),
    [['step_up', 'LIMIT_EXCEEDED']],
  )
})

test('tenants do not see each other, and pages and cursors are good in their own only', async () => {
  await createTenant(keys, { id: 'acme', origin: 'http://acme.localhost:8080' })
  const [ours, theirs] = [await readers(), await readers('acme')]
  const all = await theirs.listAuditEntries({})
  assert.deepEqual(all.entries.map(({ kind }) => kind).sort(), [
    'key_make',
    'key_make',
    'role_bind',
    'service_account_create',
    'tenant_create',
  ])
  const one = await ours.listAuditEntries({ pageSize: 1 })
  const two = await ours.listAuditEntries({ pageSize: 1, pageToken: one.nextPageToken })
  assert.notEqual(one.entries[0]?.id, two.entries[0]?.id)
  const { nextPageToken: pageToken } = one
  await refused(theirs.listAuditEntries({ pageSize: 1, pageToken }), Code.InvalidArgument, 'PAGE_TOKEN_INVALID')
  await refused(
    ours.listAuditEntries({ filter: { kinds: ['sign_in'] }, pageSize: 1, pageToken }),
    Code.InvalidArgument,
    'PAGE_TOKEN_INVALID',
  )
})

test('whoever watches is told the chain from its beginning, then what comes, and goes on from a cursor', async () => {
  const audit = await readers()
  const filter = { kinds: ['sign_in'], result: AuditResult.DONE }
  const signIn = async () => {
    const { id, email } = await somebody()
    await (await story.grpc(SessionService)).signIn({ email, password })
    return id
  }
  const first = await signIn()
  const abort = new AbortController()
  const told: AuditEntry[] = []
  let cursor = ''
  const follow = async (from: string, enough: () => boolean) => {
    for await (const message of audit.watchAuditEntries({ filter, cursor: from }, { signal: abort.signal })) {
      told.push(...message.entries)
      cursor = message.cursor
      if (enough()) return
    }
  }
  const has = (id: string) => told.some(({ subjectId }) => subjectId === id)
  let second = ''
  const following = follow('', () => has(second))
  await until(() => has(first))
  second = await signIn()
  await following
  const third = await signIn()
  await follow(cursor, () => has(third))
  const positions = told.map(({ position }) => position)
  assert.deepEqual(
    positions,
    [...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)),
  )
  assert.ok(told.every(({ hash }) => hash.length === 32))
  const made = (...place: string[]) => follow(encodePageToken('audit watch/default', place), () => true)
  await refused(made('1', 'ffffffffffff'), Code.FailedPrecondition, 'CURSOR_TOO_OLD')
  await refused(made('x', ''), Code.InvalidArgument, 'PAGE_TOKEN_INVALID')
  abort.abort()
})

test('the export is the sealed chain, a JSON object a line', async () => {
  const audit = await readers()
  await until(async () => (await audit.listAuditEntries({ pageSize: 1 })).entries[0]?.position !== 0n)
  let text = ''
  for await (const { ndjson } of audit.exportAuditEntries({})) text += Buffer.from(ndjson).toString()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  assert.deepEqual(
    lines.map(({ position }) => position),
    lines.map((_, at) => String(at + 1)),
  )
  assert.ok(lines.every(({ kind, time, hash }) => kind !== '' && time?.endsWith('Z') && Buffer.from(hash ?? '', 'base64url').length === 32))
})

test('what an administrator does to somebody else names both, and the session from which it was done', async () => {
  const user = await somebody()
  const session = ((await (await story.grpc(SessionService)).signIn({ email: user.email, password })).result.value as SignedInResult)
    .session
  const { token } = await mintAdministratorToken(keys, { tenant: 'default', name: 'auditor' })
  const { revokedCount } = await (await story.grpc(SessionService, bearer(token))).revokeSessionsOfUser({ userId: user.id })
  assert.equal(revokedCount, 1)
  const { entries } = await (await readers()).listAuditEntries({ filter: { subjectId: user.id, kinds: ['session_end'] } })
  assert.deepEqual(
    entries.map(({ actor, sessionId }) => [actor?.kind, sessionId]),
    [['service_account', session?.id]],
  )
})
