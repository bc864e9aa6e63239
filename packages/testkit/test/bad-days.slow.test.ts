import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { codeIn, type House, openHouse, reasonOf, until } from './house.ts'
import { openStreams, streamNames } from './open-streams.ts'
import { operate } from './operate.ts'
import { startVerifierBehind } from './verifier-behind.ts'

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

const password = 'correct horse battery staple!'

test('with NATS down writes go on, and their events follow when it is back', async () => {
  const token = await house.adminToken()
  let invited = ''
  await house.local.interrupt('nats', async () => {
    const created = await house.call('/api/users', { name: 'Offline', email: 'offline@example.com' }, { token })
    assert.equal(created.status, 201)
    invited = created.body.id ?? ''
    assert.equal((await house.call(`/api/users/${invited}`, undefined, { token })).status, 200)
    assert.equal((await house.call('AccountService/SignUp', { email: 'later@example.com', password, name: 'Later' })).status, 200)
  })
  codeIn(await house.mailTo('later@example.com'))
  assert.match((await house.mailTo('offline@example.com')).text, /\/invitation#token=/)
  assert.notEqual(invited, '')
})

test('kept events are published again by a command, and nothing happens twice', async () => {
  const before = house.local.mailbox.messages.length
  const said = await house.local.gatehouse('user', 'outbox', 'replay', 'user', '--since', new Date(Date.now() - 3_600_000).toISOString())
  assert.match(said, /^[1-9]\d* events? published again/)
  await house.person('after-the-replay@example.com')
  assert.equal(house.local.mailbox.messages.length, before)
  await assert.rejects(house.local.gatehouse('user', 'outbox', 'replay', 'user', '--since', '2000-01-01'), /reaches no further back/)
})

test('with auth down tokens still verify, what needs auth is unavailable, and what it has to do follows', async () => {
  const [person, other] = [await house.person('steady@example.com'), await house.person('suspended@example.com')]
  const token = await house.adminToken()
  await house.local.stopService('auth')
  assert.equal((await house.call('UserService/GetCurrentUser', {}, { token: person.accessToken })).status, 200)
  assert.equal((await house.call('InboxService/ListInboxItems', {}, { token: person.accessToken })).status, 200)
  assert.equal((await house.call('/api/users?pageSize=1', undefined, { token })).status, 200)
  const refused = await house.call('SessionService/SignIn', { email: person.email, password: person.password })
  assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable'])
  assert.equal((await house.call(`/api/users/${other.userId}:suspend`, {}, { token })).status, 200)
  await house.local.startService('auth')
  await until(
    'the suspended session to end',
    async () => (await house.call('UserService/GetCurrentUser', {}, { token: other.accessToken })).status === 401,
  )
  assert.equal((await house.call('UserService/GetCurrentUser', {}, { token: person.accessToken })).status, 200)
})

test('a verifier that is cut off from auth goes on by the life of a token, says so, and hears of what ended when it is back', async () => {
  const person = await house.person('cut-off@example.com')
  await using verifier = await startVerifierBehind(house)
  const look = async () => [await verifier.accepts(person.accessToken), await verifier.isConnected()]
  assert.deepEqual(await look(), [true, true])
  await verifier.link.set({ kind: 'reset' })
  await until('its metric to tell', async () => !(await verifier.isConnected()))
  assert.equal((await house.call('SessionService/SignOut', { refreshToken: person.refreshToken })).status, 200)
  await until(
    'the others to refuse',
    async () => (await house.call('UserService/GetCurrentUser', {}, { token: person.accessToken })).status === 401,
  )
  assert.deepEqual(await look(), [true, false])
  await verifier.link.set()
  await until('it to refuse too', async () => !(await verifier.accepts(person.accessToken)))
  assert.deepEqual(await look(), [false, true])
})

test('whoever is raised, suspended or deleted loses every open stream, at both services and both doors', async () => {
  const person = await house.person('watching@example.com')
  // The last administrator could be neither suspended nor deleted.
  for (const { email } of [person, await house.person('who-stays@example.com')])
    assert.equal((await operate(house.local, 'auth', 'admin invite', email)).failure, undefined)
  const admin = await house.adminToken()
  const credentials = { email: person.email, password: person.password }
  const signIn = async () => (await house.call('SessionService/SignIn', credentials)).body.signedIn?.accessToken ?? ''
  const losesAll = async (token: string, act: () => Promise<{ status: number }>) => {
    await using streams = await openStreams(house, token)
    assert.equal((await act()).status, 200)
    await until('every stream to end', () => streams.ends.size === streamNames.length)
    for (const rpc of ['UserService/GetCurrentUser', 'InboxService/ListInboxItems'])
      assert.equal(reasonOf(await house.call(rpc, {}, { token })), 'ACCESS_TOKEN_INVALID', rpc)
  }

  const token = await signIn()
  const begun = await house.call('SessionService/BeginStepUp', {}, { token })
  const raise = { continuation: begun.body.nextStep?.continuation, proof: { password: person.password } }
  let raised = ''
  await losesAll(token, async () => {
    const answer = await house.call('SessionService/CompleteStepUp', raise, { token })
    raised = answer.body.signedIn?.accessToken ?? ''
    return answer
  })
  await losesAll(raised, () => house.call(`/api/users/${person.userId}:suspend`, {}, { token: admin }))
  assert.equal((await house.call(`/api/users/${person.userId}:reactivate`, {}, { token: admin })).status, 200)
  await losesAll(await signIn(), () => house.call(`/api/users/${person.userId}`, undefined, { token: admin, method: 'DELETE' }))
})

test('with user down nobody is signed in, and a refresh uses nothing up', async () => {
  const person = await house.person('patient@example.com')
  await house.local.stopService('user', 'kill')
  const refresh = await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })
  assert.deepEqual([refresh.status, reasonOf(refresh)], [503, 'DEPENDENCY_UNAVAILABLE'])
  const signIn = await house.call('SessionService/SignIn', { email: person.email, password: person.password })
  assert.deepEqual([signIn.status, reasonOf(signIn)], [503, 'DEPENDENCY_UNAVAILABLE'])
  await house.local.startService('user')
  const again = await until('auth to find user again', async () => {
    const answer = await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })
    return answer.status === 200 ? answer : undefined
  })
  assert.ok(again.body.signedIn?.refreshToken)
})

test('when Postgres restarts the services are ready all the while and recover by themselves', async () => {
  const person = await house.person('lasting@example.com')
  await house.local.interrupt('postgres', async () => {
    const answers = await Promise.all(
      ['UserService/GetCurrentUser', 'SessionService/ListSessions', 'InboxService/ListInboxItems'].map((rpc) =>
        house.call(rpc, {}, { token: person.accessToken }),
      ),
    )
    assert.deepEqual(
      answers.map((answer) => [answer.status, reasonOf(answer)]),
      answers.map(() => [503, 'DEPENDENCY_UNAVAILABLE']),
    )
    for (const { metrics } of Object.values(house.local.ports.services))
      assert.equal((await fetch(`http://127.0.0.1:${metrics}/readyz`)).status, 200)
  })
  await until(
    'everybody to answer again',
    async () => {
      const answers = await Promise.all(
        ['UserService/GetCurrentUser', 'SessionService/ListSessions', 'InboxService/ListInboxItems'].map((rpc) =>
          house.call(rpc, {}, { token: person.accessToken }),
        ),
      )
      return answers.every(({ status }) => status === 200)
    },
    10_000,
  )
})

test('a killed notification service sends what it had not sent, once it is back', async () => {
  await house.local.stopService('notification', 'kill')
  for (let i = 0; i < 5; i++)
    assert.equal((await house.call('AccountService/SignUp', { email: `queued${i}@example.com`, password, name: 'Queued' })).status, 200)
  await house.local.startService('notification')
  for (let i = 0; i < 5; i++) codeIn(await house.mailTo(`queued${i}@example.com`))
  const counts = new Map<string, number>()
  for (const mail of house.local.mailbox.messages) {
    const id = mail.headers['message-id'] ?? ''
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  assert.ok([...counts.values()].every((count) => count === 1))
})

test('SIGTERM lets the calls in flight finish', async () => {
  const person = await house.person('leaving@example.com')
  const body = { email: person.email, password: person.password }
  // Each waits for its turn to be hashed, so that most are still in flight when the first is answered. Ten attempts at once are free; more may be refused.
  const calls = Array.from({ length: 8 }, () => house.call('SessionService/SignIn', body))
  await Promise.race(calls)
  const [answers] = await Promise.all([Promise.all(calls), house.local.stopService('auth')])
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 200),
  )
  await house.local.startService('auth')
})

test('services start in any order and without their peers', async () => {
  for (const name of ['user', 'auth', 'notification'] as const) await house.local.stopService(name)
  await house.local.startService('notification')
  const early = await house.call('InboxService/ListInboxItems', {})
  assert.deepEqual([early.status, reasonOf(early)], [503, 'DEPENDENCY_UNAVAILABLE'], 'nobody has told it yet whose host this is')
  for (const name of ['user', 'auth'] as const) await house.local.startService(name)
  const person = await house.person('reborn@example.com')
  await until(
    'everybody to know everybody',
    async () => (await house.call('InboxService/ListInboxItems', {}, { token: person.accessToken })).status === 200,
  )
})
