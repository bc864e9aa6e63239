import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { allow, newId, someClient, tenant } from '../../../test/oidc-scene.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { rotateSecret } from './clients/rotate-secret.ts'
import { createOidcActs } from './oidc-acts.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

/** Every row of every table, as text; bytes as hex. */
async function dump(): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(opened.deps.db)
  const texts: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(opened.deps.db)
    texts.push(...rows.map(({ row }) => row))
  }
  return texts.join('\n')
}

test('no token, code, cookie, user code or secret of OpenID Connect is in any column of any table', async () => {
  const acts = createOidcActs(opened.deps)
  const { about, sessionId } = await allow(opened, { offline: true })
  const { clientId, secret } = await someClient(opened.deps)
  const rotated = await rotateSecret(opened.deps, { tenant, clientId, overlapSeconds: 60 })
  const cookie = acts.sessions.cookieOf(tenant, sessionId, 0)
  const [access, refresh, code, device, pushed, interaction] = Array.from({ length: 6 }, newId) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const userCode = 'QRSTVWXZ'
  await acts.records.save(tenant, 'AccessToken', access, { jti: access, ...about }, 600)
  await acts.records.save(tenant, 'RefreshToken', refresh, { jti: refresh, ...about }, 600)
  await acts.records.save(tenant, 'AuthorizationCode', code, { jti: code, ...about }, 60)
  await acts.records.save(tenant, 'DeviceCode', device, { jti: device, userCode, clientId }, 600)
  const found = (await acts.records.findByUserCode(tenant, userCode)) ?? assert.fail()
  await acts.records.save(tenant, 'DeviceCode', String(found.jti), { ...found, inFlight: true }, 600)
  await acts.records.save(tenant, 'PushedAuthorizationRequest', pushed, { jti: pushed, request: 'x' }, 60)
  const returnTo = `https://id.example.com/oidc/auth/${interaction}`
  const kept = {
    jti: interaction,
    returnTo,
    session: { uid: sessionId, cookie },
    deviceCode: device,
    parJti: pushed,
    params: { scope: 'openid' },
  }
  await acts.records.save(tenant, 'Interaction', interaction, kept, 600)
  let next = ''
  await acts.records.rotate(tenant, refresh, (key) => {
    next = createHmac('sha256', key).update(refresh).digest('base64url')
    return next
  })
  await acts.records.save(tenant, 'RefreshToken', next, { jti: next, ...about }, 600)

  const everything = await dump()
  const secrets = { access, refresh, next, code, device, pushed, interaction, cookie, userCode, secret, rotated: rotated.secret }
  for (const [name, value] of Object.entries(secrets)) {
    assert.ok(value.length >= 8, name)
    assert.ok(!everything.includes(value), name)
    assert.ok(!everything.includes(Buffer.from(value).toString('hex')), name)
    if (value.length > 40) assert.ok(!everything.includes(Buffer.from(value.slice(-43), 'base64url').toString('hex')), `${name}, decoded`)
  }
  // What was taken out is there again for whoever has the id.
  const read = (await acts.records.find(tenant, 'Interaction', interaction)) ?? assert.fail()
  assert.deepEqual([read.jti, read.returnTo, read.session], [interaction, returnTo, { uid: sessionId }])
  assert.ok(await acts.records.find(tenant, 'DeviceCode', String(read.deviceCode), { refs: true }))
  assert.equal(await acts.records.consume(tenant, 'PushedAuthorizationRequest', String(read.parJti)), 'consumed')
})

test('a browser is found by its cookie until the session is raised, and by no other tenant or guess', async () => {
  const acts = createOidcActs(opened.deps)
  const { sessionId, user, clientId, grantId } = await allow(opened)
  const cookie = acts.sessions.cookieOf(tenant, sessionId, 0)
  const session = (await acts.sessions.findByCookie(tenant, cookie)) ?? assert.fail()
  assert.deepEqual([session.id, session.userId, session.clients[clientId]?.grantId], [sessionId, user.id, grantId])
  assert.equal(await acts.sessions.findByCookie('acme', cookie), undefined)
  const changed = cookie.slice(0, -3) + (cookie.endsWith('AAA') ? 'BBB' : 'AAA')
  assert.equal(await acts.sessions.findByCookie(tenant, changed), undefined)
  assert.equal(await acts.sessions.findByCookie(tenant, sessionId), undefined)
  await acts.sessions.save(tenant, sessionId, { state: { secret: 's' }, clients: { other: { persistsLogout: true } } })
  const saved = (await acts.sessions.findById(tenant, sessionId)) ?? assert.fail()
  assert.deepEqual([saved.state, Object.keys(saved.clients).sort()], [{ secret: 's' }, [clientId, 'other'].sort()])
  await acts.sessions.save(tenant, sessionId, { state: null })
  assert.equal((await acts.sessions.findById(tenant, sessionId))?.state, undefined)
  await sql`update sessions set generation = 1 where id = ${sessionId}`.execute(opened.deps.db)
  assert.equal(await acts.sessions.findByCookie(tenant, cookie), undefined)
  assert.ok(await acts.sessions.findByCookie(tenant, acts.sessions.cookieOf(tenant, sessionId, 1)))
  await acts.sessions.end(tenant, sessionId)
  await acts.sessions.end(tenant, sessionId)
  assert.equal(await acts.sessions.findById(tenant, sessionId), undefined)
})
