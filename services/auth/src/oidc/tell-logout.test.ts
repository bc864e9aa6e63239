import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { clientOf } from '../../test/oidc-acts-in-memory.ts'
import { ISSUER, testProvider } from '../../test/oidc-provider-for-tests.ts'
import { logoutTeller } from './tell-logout.ts'

/** A client that was told one of a session's two names, and answers by the name that it hears. */
function clientThatAnswers(statusOf: (sid: unknown) => number, asksForName = true) {
  const heard: unknown[] = []
  const { provider, acts } = testProvider({
    async egress(_to, init) {
      const { sid } = decodeJwt(new URLSearchParams(String(init?.body)).get('logout_token') ?? '')
      heard.push(sid)
      return new Response(null, { status: statusOf(sid) })
    },
  })
  const told = { backchannel_logout_uri: 'https://rp.example/out', backchannel_logout_session_required: asksForName }
  acts.clientRows.set('app', clientOf('app', told))
  const sessions = { ...acts.sessions, sidsOf: () => ['new', 'old'] }
  const tell = logoutTeller(
    { acts: { ...acts, sessions } },
    { of: async () => ({ provider, issuer: new URL(ISSUER), handle: async () => {} }) },
  )
  return { heard, tell: () => tell({ tenant: 'default', sessionId: 'session', userId: 'ada', clientId: 'app' }) }
}

test('while a key is replaced a client hears of a session by both names, and may not know one', async () => {
  const { heard, tell } = clientThatAnswers((sid) => (sid === 'old' ? 200 : 400))
  assert.equal(await tell(), 'delivered')
  assert.deepEqual(heard.toSorted(), ['new', 'old'])
})

test('a client that knows neither name, or does not answer to one, is told again', async () => {
  await assert.rejects(clientThatAnswers(() => 400).tell(), /got: 400/)
  await assert.rejects(clientThatAnswers((sid) => (sid === 'old' ? 503 : 200)).tell(), /got: 503/)
})

test('a client that asks for no name hears of it once', async () => {
  const { heard, tell } = clientThatAnswers(() => 200, false)
  assert.equal(await tell(), 'delivered')
  assert.deepEqual(heard, [undefined])
})
