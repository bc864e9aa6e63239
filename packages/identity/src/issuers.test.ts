import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createAccessTokenVerifier, followIssuers, type IssuerRecord, jwksOfOrigin, type SkippedKey, TokenInvalid } from './index.ts'
import { newKey, tokenWorld } from './world-for-tests.ts'

const record = (jwks: readonly string[], tenant = 'default'): IssuerRecord => ({
  tenant,
  origin: `http://${tenant}.test`,
  hosts: [`${tenant}.test`],
  jwks,
})

async function answering(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: async () => void (await close()) }
}

test('a thousand tokens of unknown keys and tenants at once cause one look, and in a second no other', async () => {
  await using w = await tokenWorld()
  let looks = 0
  await using issuers = followIssuers(async () => {
    looks++
    await new Promise((resolve) => setTimeout(resolve, 20))
    return w.records
  })
  await issuers.lookAgain()
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers })
  const burst = (from: string) =>
    Promise.all(
      Array.from({ length: 1_000 }, (_, number) =>
        assert.rejects(verifier.verify(w.sign(number % 2 ? { tid: `${from}-${number}` } : {}, { kid: `${from}-${number}` })), TokenInvalid),
      ),
    )
  const began = performance.now()
  await burst('a')
  await burst('b')
  const seconds = Math.ceil((performance.now() - began) / 1000)
  assert.ok(looks <= 1 + seconds, `${looks} looks in ${seconds} s`)
  assert.equal((await verifier.verify(w.sign())).id, 'u1')
})

test('a tenant that was made since the last look is found by the next one: its token waits for that, and so many others do not', async () => {
  await using w = await tokenWorld()
  let records = w.records.slice(0, 1)
  let looks = 0
  await using issuers = followIssuers(
    async () => {
      looks++
      return records
    },
    { cooldownMs: 150, maxWaiting: 2 },
  )
  await issuers.lookAgain()
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers })
  await verifier.verify(w.sign())
  records = w.records
  const token = w.sign({ iss: 'http://acme.localhost:8080/oidc', tid: 'acme' }, { kid: 'a1' }, w.keyOfAcme.privateKey)
  const waiting = [verifier.verify(token), verifier.verify(token)]
  await assert.rejects(verifier.verify(token), TokenInvalid, 'nobody waits beside them')
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ tenant }) => tenant),
    ['acme', 'acme'],
  )
  assert.equal(looks, 2)
})

test('while auth is away the last answer is good, and what is new is found when it is back', async () => {
  const [first, second] = [newKey(), newKey()]
  let answer: (() => readonly IssuerRecord[]) | undefined = () => [record([first.jwk('k1')])]
  const told: unknown[] = []
  await using issuers = followIssuers(
    async () => {
      if (!answer) throw new Error('away')
      return answer()
    },
    { cooldownMs: 0, onChange: (error) => void told.push(error) },
  )
  await issuers.lookAgain()
  answer = undefined
  for (let at = 0; at < 3; at++) await issuers.lookAgain()
  assert.deepEqual([issuers.failing, issuers.known, [...(issuers.issuer('default')?.keys.keys() ?? [])]], [true, true, ['k1']])
  answer = () => [record([first.jwk('k1'), second.jwk('k2')])]
  await issuers.lookAgain()
  assert.deepEqual([...(issuers.issuer('default')?.keys.keys() ?? [])], ['k1', 'k2'])
  assert.equal(told.length, 2)
})

test('keys that are no ES256 keys are passed over and told once, and take nothing from the others', async () => {
  const key = newKey()
  const good = JSON.parse(key.jwk('good')) as Record<string, unknown>
  const odd: [string, unknown][] = [
    ['the key is not on P-256', { ...good, kid: 'rsa', kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
    ['the key is not on P-256', { ...good, kid: 'p384', crv: 'P-384' }],
    ['the key is not on P-256', { kid: 'oct', kty: 'oct', k: 'AAAA' }],
    ['the key is for another algorithm', { ...good, kid: 'alg', alg: 'ES384' }],
    ['the key is for another use', { ...good, kid: 'use', use: 'enc' }],
    ['the key is private', { ...good, kid: 'd', d: 'AAAA' }],
    ['the key cannot be read', { ...good, kid: 'off-the-curve', y: good.x }],
    ['the key cannot be read', { ...good, kid: 'short', x: 'AAAA' }],
    ['the key cannot be read', { kid: 'empty', kty: 'EC', crv: 'P-256' }],
    ['the key has no kid', { ...good, kid: undefined }],
    ['the key has no kid', { ...good, kid: 7 }],
    ['the key has no kid', null],
    ['the key is too long', { ...good, kid: 'long', x5c: ['x'.repeat(5_000)] }],
    ['another key has this kid', newKey().jwk('good')],
    ['the key is no JSON', '{"kty":'],
  ]
  const told: SkippedKey[] = []
  const jwks = [key.jwk('good'), ...odd.map(([, jwk]) => (typeof jwk === 'string' ? jwk : JSON.stringify(jwk)))]
  await using issuers = followIssuers(async () => [record(jwks), record([newKey().jwk('k1')], 'acme')], {
    cooldownMs: 0,
    onSkippedKey: (skipped) => void told.push(skipped),
  })
  await issuers.lookAgain()
  await issuers.lookAgain()
  assert.deepEqual([issuers.failing, [...(issuers.issuer('default')?.keys.keys() ?? [])]], [false, ['good']])
  assert.deepEqual(
    told.map(({ why }) => why),
    odd.map(([why]) => why),
  )
  assert.equal(issuers.issuer('acme')?.keys.size, 1)
})

test('what is kept is bounded: tenants, keys of a tenant', async () => {
  const key = newKey()
  const told: SkippedKey[] = []
  let records = [record([key.jwk('k1')]), record([], 'acme')]
  await using issuers = followIssuers(async () => records, {
    cooldownMs: 0,
    maxIssuers: 2,
    onSkippedKey: (skipped) => void told.push(skipped),
  })
  await issuers.lookAgain()
  records = [...records, record([], 'umbrella')]
  await issuers.lookAgain()
  assert.deepEqual([issuers.failing, issuers.issuer('umbrella'), issuers.issuer('default')?.keys.size], [true, undefined, 1])
  records = [record(Array.from({ length: 40 }, (_, number) => key.jwk(`k${number}`)))]
  await issuers.lookAgain()
  assert.deepEqual([issuers.failing, issuers.issuer('default')?.keys.size, told.length], [false, 32, 1])
})

test('a set of keys is read by its bound: ten megabytes, a redirect, an error and nonsense are refused, and change nothing', async () => {
  // One for ID tokens stands beside those that matter here.
  const set = JSON.stringify({
    keys: [JSON.parse(newKey().jwk('k1')), { kty: 'RSA', kid: 'k2', alg: 'RS256', use: 'sig', n: 'AQAB', e: 'AQAB' }],
  })
  let sent = 0
  const answers: Record<string, RequestListener> = {
    good: (_, response) => void response.end(set),
    long(_, response) {
      const piece = Buffer.alloc(64 * 1024, ' ')
      const more = () => {
        while (sent < 10 * 1024 * 1024 && !response.destroyed) {
          sent += piece.length
          if (!response.write(piece)) return void response.once('drain', more)
        }
        response.end(set)
      }
      more()
    },
    redirect: (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    error: (_, response) => void response.writeHead(500).end(set),
    nonsense: (_, response) => void response.end('<html>'),
    'no set': (_, response) => void response.end('{}'),
  }
  let answer = answers.good
  await using server = await answering((request, response) => answer?.(request, response))
  await using issuers = followIssuers(jwksOfOrigin(server.origin), {
    cooldownMs: 0,
    onSkippedKey: ({ kid, why }) => assert.fail(`${kid}: ${why}`),
  })
  await issuers.lookAgain()
  assert.equal(issuers.failing, false)
  for (const name of ['long', 'redirect', 'error', 'nonsense', 'no set']) {
    answer = answers[name]
    await issuers.lookAgain()
    assert.deepEqual([issuers.failing, issuers.issuer('default')?.keys.size], [true, 1], name)
    answer = answers.good
    await issuers.lookAgain()
    assert.equal(issuers.failing, false)
  }
  assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes were taken`)
})
