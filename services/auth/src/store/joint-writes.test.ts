import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { eventRow } from '@gatehouse/events'
import { sql } from 'kysely'
import { bindRole } from '../../test/bind-role.ts'
import { type OpenedDeps, openDeps } from '../../test/open-deps.ts'
import { signSomebodyIn, somebody } from '../../test/sign-somebody-in.ts'
import { auditEntry } from '../core/audit/audit.ts'
import { newSession, signInAct } from '../core/sessions/open-session.ts'
import { hashRefreshToken } from '../core/sessions/refresh-token.ts'
import { revokePersonSessions } from '../core/sessions/revoke-person-sessions.ts'
import { notOpened, type Opening, openSessions } from './open-sessions.ts'
import { findRefreshToken } from './refresh-tokens.ts'
import { type Rotation, rotateRefreshTokens, untouched } from './rotate-refresh-tokens.ts'
import { findSession } from './sessions.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
const countOf = async (table: string) =>
  Number((await sql<{ n: bigint }>`select count(*) as n from ${sql.table(table)}`.execute(opened.deps.db)).rows[0]?.n)

function openingOf(userId: string, { epoch = 0, version = 1 } = {}): Opening {
  const lifetimes = { idleMs: 86_400_000, absoluteMs: 864_000_000 }
  const seen = { userAgent: 'x', source: '203.0.113.77' }
  const { event, ...made } = newSession(opened.deps, { tenant, userId, ...seen, amr: ['pwd', 'otp'], lifetimes })
  return { ...made, event: eventRow(event), entry: auditEntry(signInAct(made.session)), epoch, credentialVersion: version }
}

function rotationOf(refreshToken: string, changed: Partial<Rotation> = {}): Rotation {
  const time = new Date(opened.deps.now())
  return {
    tenant,
    token_hash: hashRefreshToken(refreshToken),
    successor_hash: randomBytes(32),
    key_version: 1,
    time,
    idle_expire_time: new Date(time.getTime() + 86_400_000),
    expire_time: new Date(time.getTime() + 864_000_000),
    user_agent: 'y',
    network: '203.0.113.0/24',
    ...changed,
  }
}

test('of sessions that open together each has its own outcome, and one that may not open leaves nothing', async () => {
  const [right, ended, changed] = await Promise.all([somebody(opened), somebody(opened), somebody(opened)])
  await revokePersonSessions(opened.deps, { tenant, userId: ended.id, cause: 'revoked' })
  await bindRole(opened.deps.db, { tenant, subject_id: right.id, role: 'administrator' })
  const openings = [
    openingOf(right.id),
    openingOf(ended.id),
    openingOf(changed.id, { version: 2 }),
    openingOf(crypto.randomUUID()),
    openingOf(ended.id, { epoch: 1 }),
    openingOf(right.id),
  ]
  const outcomes = await openSessions(opened.deps.db, openings)
  assert.deepEqual(
    outcomes.map((each) => (each === notOpened ? each : each.roles)),
    [['administrator'], notOpened, notOpened, notOpened, [], ['administrator']],
  )
  for (const [index, { session, tokenHash }] of openings.entries()) {
    const isOpen = [0, 4, 5].includes(index)
    const found = await findSession(opened.deps.db, { tenant, id: session.id })
    assert.deepEqual(found, isOpen ? session : undefined)
    assert.equal((await findRefreshToken(opened.deps.db, { tenant, hash: tokenHash }))?.session_id, isOpen ? session.id : undefined)
    assert.equal((await opened.eventsOf(session.id)).length, isOpen ? 1 : 0)
    const audited = await sql`select from audit_entries join audit_unsealed using (tenant, id) where session_id = ${session.id}`.execute(
      opened.deps.db,
    )
    assert.equal(audited.rows.length, isOpen ? 1 : 0)
  }
})

test('a joint opening that fails leaves nothing of any', async () => {
  const user = await somebody(opened)
  const good = openingOf(user.id)
  const twice = { ...openingOf(user.id), tokenHash: good.tokenHash }
  const written = () => Promise.all(['sessions', 'refresh_tokens', 'outbox', 'audit_entries', 'audit_unsealed'].map(countOf))
  const before = await written()
  await assert.rejects(openSessions(opened.deps.db, [good, twice]), { code: '23505' })
  assert.deepEqual(await written(), before)
})

test('of tokens that rotate together each has its own outcome', async () => {
  const signedIn = await Promise.all([1, 2, 3, 4].map(async () => signSomebodyIn(opened.deps, await somebody(opened))))
  const [fresh, used, over, other] = signedIn
  assert.ok(fresh && used && over && other)
  await rotateRefreshTokens(opened.deps.db, [rotationOf(used.refreshToken)])
  await revokePersonSessions(opened.deps, { tenant, userId: over.user?.id ?? '', cause: 'revoked' })
  const rotations = [
    rotationOf(fresh.refreshToken),
    rotationOf(used.refreshToken),
    rotationOf(over.refreshToken),
    rotationOf('ghr_nobody'),
    rotationOf(other.refreshToken, { tenant: 'acme' }),
    rotationOf(other.refreshToken),
  ]
  const tokens = await countOf('refresh_tokens')
  const outcomes = await rotateRefreshTokens(opened.deps.db, rotations)
  assert.deepEqual(
    outcomes.map((outcome) => (outcome === untouched ? undefined : outcome.session.id)),
    [fresh.session?.id, undefined, undefined, undefined, undefined, other.session?.id],
  )
  assert.equal(await countOf('refresh_tokens'), tokens + 2)
  const successor = await findRefreshToken(opened.deps.db, { tenant, hash: rotations[0]?.successor_hash ?? new Uint8Array() })
  assert.equal(successor?.session_id, fresh.session?.id)
  assert.equal(successor?.use_time, null)
})

test('a session is never touched beyond its own end', async () => {
  const { refreshToken } = await signSomebodyIn(opened.deps, await somebody(opened))
  const [rotated] = await rotateRefreshTokens(opened.deps.db, [
    rotationOf(refreshToken, { idle_expire_time: new Date(opened.deps.now() + 1e12) }),
  ])
  assert.ok(rotated && rotated !== untouched)
  assert.deepEqual(rotated.session.idle_expire_time, rotated.session.expire_time)
})

test('fifty statements that rotate one token at once over two pools rotate it once', async () => {
  const { refreshToken, session } = await signSomebodyIn(opened.deps, await somebody(opened))
  const pools = [opened.deps.db, opened.replica().db]
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, i) => rotateRefreshTokens(pools[i % 2] ?? opened.deps.db, [rotationOf(refreshToken)])),
  )
  assert.equal(outcomes.flat().filter((outcome) => outcome !== untouched).length, 1)
  const rows = await opened.deps.db
    .selectFrom('refresh_tokens')
    .select('token_hash')
    .where('session_id', '=', session?.id ?? '')
    .execute()
  assert.equal(rows.length, 2)
})
