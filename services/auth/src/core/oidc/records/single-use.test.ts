import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { allow, fifty, newId, tenant } from '../../../../test/oidc-scene.ts'
import { type OpenedDeps, openDeps } from '../../../../test/open-deps.ts'
import { createOidcActs } from '../oidc-acts.ts'
import type { OidcActs } from '../oidc-parts.ts'

let opened: OpenedDeps
let acts: OidcActs
let replicas: readonly OidcActs[]
before(async () => {
  opened = await openDeps()
  acts = createOidcActs(opened.deps)
  replicas = [acts, createOidcActs(opened.replica())]
})
after(async () => opened[Symbol.asyncDispose]())

async function auditKinds(userId: string): Promise<string[]> {
  const { rows } = await sql<{ kind: string }>`select kind from audit_entries where subject_id = ${userId} order by id`.execute(
    opened.deps.db,
  )
  return rows.map(({ kind }) => kind)
}

const count = (answers: readonly unknown[], answer: unknown) => answers.filter((each) => each === answer).length

for (const kind of ['AuthorizationCode', 'DeviceCode'] as const)
  test(`of fifty who redeem one ${kind} on two replicas one does, and what it was good for ends`, async () => {
    const { about, grantId, user } = await allow(opened)
    const code = newId()
    await acts.records.save(tenant, kind, code, kind === 'DeviceCode' ? {} : about, 60)
    if (kind === 'DeviceCode') await acts.records.save(tenant, kind, code, about, 60)
    const answers = await fifty(replicas, (each) => each.records.consume(tenant, kind, code))
    assert.deepEqual([count(answers, 'consumed'), count(answers, 'replayed')], [1, 49])
    assert.equal(await acts.grants.find(tenant, grantId), undefined)
    const kinds = await auditKinds(user.id)
    assert.deepEqual([count(kinds, 'code_replay'), count(kinds, 'grant_end')], [1, 1])
    assert.equal(await acts.records.consume(tenant, kind, newId()), 'gone')
  })

test('a code that is redeemed once is found used up, and its grant goes on', async () => {
  const { about, grantId } = await allow(opened)
  const code = newId()
  await acts.records.save(tenant, 'AuthorizationCode', code, about, 60)
  assert.equal((await acts.records.find(tenant, 'AuthorizationCode', code))?.jti, code)
  assert.equal(await acts.records.consume(tenant, 'AuthorizationCode', code), 'consumed')
  assert.equal(typeof (await acts.records.find(tenant, 'AuthorizationCode', code))?.consumed, 'number')
  assert.ok(await acts.grants.find(tenant, grantId))
})

test('tokens that the first one saves after a replay are found by nobody', async () => {
  const { about } = await allow(opened)
  const code = newId()
  await acts.records.save(tenant, 'AuthorizationCode', code, about, 60)
  await acts.records.consume(tenant, 'AuthorizationCode', code)
  await acts.records.consume(tenant, 'AuthorizationCode', code)
  const token = newId()
  await acts.records.save(tenant, 'AccessToken', token, about, 600)
  assert.equal(await acts.records.find(tenant, 'AccessToken', token), undefined)
})

test('an expired code is not used up, is told from an unknown one, and ends nothing', async () => {
  const { about, grantId } = await allow(opened)
  const code = newId()
  await acts.records.save(tenant, 'AuthorizationCode', code, about, 60)
  opened.pass(61)
  assert.equal(await acts.records.consume(tenant, 'AuthorizationCode', code), 'gone')
  assert.ok(await acts.records.find(tenant, 'AuthorizationCode', code))
  assert.ok(await acts.grants.find(tenant, grantId))
})

test('of fifty who use one pushed request one does', async () => {
  const id = newId()
  await acts.records.save(tenant, 'PushedAuthorizationRequest', id, { request: 'x' }, 60)
  const answers = await fifty(replicas, (each) => each.records.consume(tenant, 'PushedAuthorizationRequest', id))
  assert.deepEqual([count(answers, 'consumed'), count(answers, 'replayed')], [1, 49])
})

test('of fifty who show one proof one comes for the first time, and after its end it is another', async () => {
  const proof = randomBytes(32)
  const until = () => new Date(opened.deps.now() + 60_000)
  const first = await fifty(replicas, (each) => each.records.firstTime(tenant, proof, until()))
  assert.equal(count(first, true), 1)
  assert.equal(await acts.records.firstTime('acme', proof, until()), true)
  opened.pass(61)
  assert.equal(await acts.records.firstTime(tenant, proof, until()), true)
})

test('of fifty who take one user code in hand one does, and nobody else decides', async () => {
  const { about } = await allow(opened)
  const [code, userCode] = [newId(), 'BCDFGHJK']
  await acts.records.save(tenant, 'DeviceCode', code, { clientId: about.clientId, userCode }, 600)
  const found = (await acts.records.findByUserCode(tenant, userCode)) ?? assert.fail()
  const handle = String(found.jti)
  assert.deepEqual([found.userCode, handle === code], [userCode, false])
  const inHand = await fifty(replicas, (each) => each.records.save(tenant, 'DeviceCode', handle, { ...found, inFlight: true }, 600))
  assert.deepEqual([count(inHand, 'saved'), count(inHand, 'taken')], [1, 49])
  const decided = await fifty(replicas, (each) => each.records.save(tenant, 'DeviceCode', handle, { ...found, ...about }, 600))
  assert.deepEqual([count(decided, 'saved'), count(decided, 'taken')], [1, 49])
  const { jti, accountId } = (await acts.records.find(tenant, 'DeviceCode', code)) ?? {}
  assert.deepEqual([jti, accountId], [code, about.accountId])
  assert.equal(await acts.records.save(tenant, 'DeviceCode', handle, { ...found, error: 'access_denied' }, 600), 'taken')
})

test('a handle is taken for the id where it is said so, and from nobody else', async () => {
  const { about } = await allow(opened)
  await acts.records.save(tenant, 'DeviceCode', newId(), { clientId: about.clientId, userCode: 'LMNPQRST' }, 600)
  const handle = String((await acts.records.findByUserCode(tenant, 'LMNPQRST'))?.jti)
  assert.equal(await acts.records.find(tenant, 'DeviceCode', handle), undefined)
  assert.ok(await acts.records.find(tenant, 'DeviceCode', handle, { refs: true }))
  const forged = `${handle.slice(0, -2)}${handle.endsWith('AA') ? 'BB' : 'AA'}`
  assert.equal(await acts.records.find(tenant, 'DeviceCode', forged, { refs: true }), undefined)
  assert.equal(await acts.records.findByUserCode('acme', 'LMNPQRST'), undefined)
})

test('a device that asks again too soon is told to wait', async () => {
  const code = newId()
  await acts.records.save(tenant, 'DeviceCode', code, { userCode: 'VWXZBCDF' }, 600)
  assert.deepEqual([await acts.records.mayPoll(tenant, code), await acts.records.mayPoll(tenant, code)], [true, false])
  opened.pass(5)
  const answers = await fifty(replicas, (each) => each.records.mayPoll(tenant, code))
  assert.equal(count(answers, true), 1)
  assert.equal(await acts.records.mayPoll(tenant, newId()), true)
})
