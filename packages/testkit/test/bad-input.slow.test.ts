import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { services } from '@gatehouse/contracts/files'
import { isOpenToPeople } from '@gatehouse/rpc'
import { type House, openHouse, reasonOf } from './house.ts'
import { walkRequestIds } from './request-ids.ts'

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

const rpcs = services.flatMap(({ methods }) => methods)

const nonsense: readonly [name: string, body: string][] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['a list', '[]'],
  ['a number', '7'],
  ['null', 'null'],
  ['an unknown member', '{"nobodyKnows":1}'],
  ['a planted prototype', '{"__proto__":{"admin":true}}'],
  [
    'wrong types',
    '{"id":{},"email":[],"name":7,"password":false,"userId":1,"ids":{},"pageSize":"many","sendTime":"yesterday","data":[],"token":{},"challengeId":5}',
  ],
  ['one member twice', '{"id":"a","id":"b","email":"a@b.c","email":"d@e.f"}'],
  ['a deep nest', `{"id":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  [
    'an endless text',
    `{"id":"${'x'.repeat(100_000)}","email":"${'x'.repeat(100_000)}@example.com","name":"${'x'.repeat(100_000)}","password":"${'x'.repeat(100_000)}"}`,
  ],
  [
    'control characters',
    '{"email":"a\\r\\nBcc: b@example.com","name":"a\\u0000b","password":"\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800"}',
  ],
  ['huge numbers', '{"pageSize":1e400,"id":"x"}'],
]

test('every RPC answers every nonsense with one typed refusal and no fault of ours', async () => {
  const token = await house.adminToken()
  for (const method of rpcs.filter(({ methodKind }) => methodKind === 'unary')) {
    const name = `${method.parent.name}/${method.name}`
    for (const [what, body] of nonsense) {
      for (const bearer of [token, undefined]) {
        const answer = await house.call(name, body, { token: bearer })
        assert.ok(answer.status < 500, `${name} with ${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
        if (answer.status >= 400) assert.ok(reasonOf(answer), `${name} with ${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
        assert.doesNotMatch(JSON.stringify(answer.body), /\bat \/|node_modules|\.ts:\d/)
      }
    }
  }
})

test('an RPC for services does not exist on the web door', async () => {
  for (const method of rpcs.filter((each) => !isOpenToPeople(each))) {
    const answer = await house.call(`${method.parent.name}/${method.name}`, {}, { token: await house.adminToken() })
    assert.deepEqual([answer.status, answer.body.code, reasonOf(answer)], [404, 'unimplemented', 'NOT_SERVED'], method.name)
  }
})

test('whoever has no credentials, or forged ones, gets nowhere', async () => {
  const { accessToken, userId } = await house.person('real@example.com')
  const [header = '', payload = '', signature = ''] = accessToken.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const admin = encode({ ...claims, permissions: ['user.users.read', 'user.users.delete'] })
  const none = encode({ alg: 'none', typ: 'at+jwt' })
  const hs256 = encode({ alg: 'HS256', typ: 'at+jwt', kid: 'x' })
  const jwk = encode({
    ...JSON.parse(Buffer.from(header, 'base64url').toString()),
    jku: 'http://localhost:1/',
    jwk: { kty: 'oct', k: 'AA' },
  })
  const forged = [
    `${header}.${admin}.${signature}`,
    `${none}.${admin}.`,
    `${hs256}.${admin}.${createHmac('sha256', 'secret').update(`${hs256}.${admin}`).digest('base64url')}`,
    `${jwk}.${payload}.${signature}`,
    `${header}.${payload}`,
    accessToken.slice(0, -10),
    'x',
    'null',
    `${'a'.repeat(20_000)}.b.c`,
  ]
  for (const token of forged) {
    const answer = await house.call('UserService/GetCurrentUser', {}, { token })
    assert.ok([401, 431].includes(answer.status), `${answer.status}`)
    if (answer.status === 401) assert.equal(reasonOf(answer), 'ACCESS_TOKEN_INVALID')
  }
  const bare = await house.call('UserService/GetCurrentUser', {})
  assert.deepEqual([bare.status, reasonOf(bare)], [401, 'CREDENTIALS_MISSING'])
  assert.equal((await house.call('UserService/GetUser', { id: userId }, { token: accessToken })).status, 200)
})

test('somebody else’s id is answered like an unknown one', async () => {
  const [one, other] = [await house.person('one@example.com'), await house.person('other@example.com')]
  for (const [rpc, body] of [
    ['UserService/GetUser', (id: string) => ({ id })],
    ['UserService/UpdateUser', (id: string) => ({ id, name: 'Mine now' })],
    ['UserService/DeleteUser', (id: string) => ({ id })],
  ] as const) {
    const [foreign, unknown] = [
      await house.call(rpc, body(other.userId), { token: one.accessToken }),
      await house.call(rpc, body(randomUUID()), { token: one.accessToken }),
    ]
    assert.equal(foreign.status, 403)
    assert.deepEqual([foreign.status, foreign.body], [unknown.status, unknown.body])
  }
  const [foreign, unknown] = [
    await house.call('SessionService/RevokeSession', { sessionId: other.sessionId }, { token: one.accessToken }),
    await house.call('SessionService/RevokeSession', { sessionId: randomUUID() }, { token: one.accessToken }),
  ]
  assert.deepEqual([foreign.status, foreign.body], [unknown.status, unknown.body])
  assert.equal((await house.call('UserService/GetCurrentUser', {}, { token: other.accessToken })).body.user?.name !== 'Mine now', true)
})

test('a body that is too large, or becomes so, is refused, and one that fits is not', async () => {
  const signUp = (body: Buffer | string, headers: Record<string, string> = {}) =>
    house.call('AccountService/SignUp', body as string, { headers })
  const compressed = { 'content-encoding': 'gzip' }
  const large = JSON.stringify({ email: 'a@example.com', name: 'x'.repeat(5 * 1024 * 1024) })
  for (const answer of [
    await signUp(large),
    await signUp(gzipSync(large), compressed),
    await signUp(gzipSync(Buffer.alloc(64 * 1024 * 1024)), compressed),
  ])
    assert.deepEqual([answer.status, reasonOf(answer)], [429, 'REQUEST_TOO_LARGE'])
  const small = JSON.stringify({ email: 'fits@example.com', name: 'Fits', password: 'correct horse battery staple!' })
  assert.equal((await signUp(small)).status, 200)
  assert.equal((await signUp(gzipSync(small), compressed)).status, 200)
})

test('whoever guesses at one address is stopped, and its owner can still recover', async () => {
  const victim = await house.person('guessed@example.com')
  const attempts = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      house.call(
        'SessionService/SignIn',
        { email: victim.email, password: `a wrong password ${i}` },
        { headers: { 'x-forwarded-for': `198.51.100.${i}` } },
      ),
    ),
  )
  const counted = attempts.filter((answer) => reasonOf(answer) === 'EMAIL_OR_PASSWORD_WRONG').length
  // Ten are free; on a slow machine a second passes meanwhile, and one or two more are looked at.
  assert.ok(counted >= 10 && counted <= 12, String(counted))
  assert.ok(attempts.every(({ status }) => status === 401 || status === 429))
  await house.call('AccountService/RequestPasswordReset', { email: victim.email })
  assert.match((await house.mailTo(victim.email)).text, /\/reset#token=/)
})

walkRequestIds(rpcs, () => house)
