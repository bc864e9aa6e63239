import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { createAccessTokenVerifier, followIssuers, TokenInvalid } from '@gatehouse/identity'
import { decodeJwt } from 'jose'
import { bindRole } from '../../../test/bind-role.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { insertAudience } from '../../store/audiences.ts'
import { mintAdministratorToken } from '../roles/invite-administrator.ts'
import { revokeSession } from '../sessions/revoke-session.ts'
import { listIssuers } from '../tenants/list-issuers.ts'
import { issueToken } from './issue-token.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'

async function signedIn() {
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(opened.deps, user)
  return { user, sessionId: session?.id ?? '' }
}

test('a token for another service names who it is and grants nothing here', async () => {
  const { user, sessionId } = await signedIn()
  await bindRole(opened.deps.db, { tenant, subject_id: user.id, role: 'administrator' })
  const { token } = await issueToken(opened.deps, { tenant, sessionId, audience: 'orders' })
  const { aud, sub, sid, permissions } = decodeJwt(token)
  assert.deepEqual({ aud, sub, sid, permissions }, { aud: 'orders', sub: user.id, sid: sessionId, permissions: undefined })

  await using issuers = followIssuers(() => listIssuers(opened.deps))
  await issuers.lookAgain()
  assert.equal((await createAccessTokenVerifier({ audience: 'orders', issuers }).verify(token)).id, user.id)
  await assert.rejects(createAccessTokenVerifier({ audience: 'gatehouse', issuers }).verify(token), TokenInvalid)
})

test('audiences are registered for one tenant, or by configuration for all', async () => {
  const { sessionId } = await signedIn()
  const issue = (audience: string) => issueToken(opened.deps, { tenant, sessionId, audience })
  await assert.rejects(issue('billing'), refusedWith('AUDIENCE_UNKNOWN'))
  for (const audience of ['gatehouse', 'a\u0000', '', 'Ä', 'x'.repeat(201)])
    await assert.rejects(issue(audience), refusedWith('AUDIENCE_UNKNOWN'))
  await insertAudience(opened.deps.db, { tenant: 'acme', audience: 'billing' })
  await assert.rejects(issue('billing'), refusedWith('AUDIENCE_UNKNOWN'))
  assert.equal(await insertAudience(opened.deps.db, { tenant, audience: 'billing' }), true)
  assert.equal(await insertAudience(opened.deps.db, { tenant, audience: 'billing' }), false)
  assert.ok(await issue('billing'))
})

test('an ended session and a suspended person get no more tokens', async () => {
  const { user, sessionId } = await signedIn()
  const issue = () => issueToken(opened.deps, { tenant, sessionId, audience: 'orders' })
  user.state = User_State.SUSPENDED
  await assert.rejects(issue(), refusedWith('PERSON_CANNOT_SIGN_IN'))
  user.state = User_State.ACTIVE
  await revokeSession(opened.deps, { tenant, userId: user.id, sessionId })
  await assert.rejects(issue(), refusedWith('PERSON_CANNOT_SIGN_IN'))
})

test('a service account has no session', async () => {
  const { token } = await mintAdministratorToken(opened.deps, { tenant, name: 'local-admin' })
  const again = await mintAdministratorToken(opened.deps, { tenant, name: 'local-admin' })
  await using issuers = followIssuers(() => listIssuers(opened.deps))
  await issuers.lookAgain()
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers })
  const account = await verifier.verify(token)
  assert.equal(account.kind, 'service_account')
  assert.equal(account.sessionId, '')
  assert.ok(account.permissions.has('user.users.create'))
  assert.equal((await verifier.verify(again.token)).id, account.id)
})
