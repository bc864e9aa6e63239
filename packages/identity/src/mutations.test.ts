import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { TokenInvalid } from './index.ts'
import { goodHeader, type Members, newKey, signTexts, tokenWorld } from './world-for-tests.ts'

const w = await tokenWorld()
after(() => w[Symbol.asyncDispose]())

const good = w.sign()
const [header = '', claims = '', signature = ''] = good.split('.')
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The same draws on every machine and day. */
const draws = { seed: 7520, numRuns: 200 }
const refused = (token: string, what?: string) => assert.rejects(w.verifier.verify(token), TokenInvalid, what ?? token)
const base64url = (text: string | Buffer) => Buffer.from(text).toString('base64url')

test('a token is accepted whatever its claims say within their bounds', async () => {
  const word = fc.stringMatching(/^[\x21-\x7e]{1,256}$/)
  const lists = fc.array(word, { maxLength: 8 })
  const seconds = w.claims.iat as number
  const bounded = fc.record(
    {
      sub: word,
      sid: word,
      client_id: word,
      jti: word,
      gen: fc.nat(),
      auth_time: fc.nat(),
      acr: fc.constantFrom('aal1', 'aal2', 'phr'),
      amr: lists,
      permissions: lists,
      iat: fc.integer({ min: seconds - 300, max: seconds }),
      exp: fc.integer({ min: seconds + 60, max: seconds + 300 }),
      act: fc.jsonValue(),
    },
    { requiredKeys: ['iat', 'exp'] },
  )
  await fc.assert(
    fc.asyncProperty(bounded, async (change) => {
      const token = w.sign(change)
      fc.pre(token.length <= 8192)
      assert.equal((await w.verifier.verify(token)).id, change.sub ?? 'u1')
    }),
    draws,
  )
  for (const typ of ['at+jwt', 'application/at+jwt']) assert.equal((await w.verifier.verify(w.sign({}, { typ }))).id, 'u1')
})

test('every changed, missing or added letter of a token is refused, and every changed bit of its signature', async () => {
  await w.verifier.verify(good)
  for (let at = 0; at < good.length; at++) {
    const other = letters[(letters.indexOf(good[at] ?? '') + 1 + (at % 62)) % 64] ?? ''
    await refused(`${good.slice(0, at)}${other}${good.slice(at + 1)}`)
    await refused(`${good.slice(0, at)}${good.slice(at + 1)}`)
    await refused(`${good.slice(0, at)}${other}${good.slice(at)}`)
  }
  const bytes = Buffer.from(signature, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await refused(`${header}.${claims}.${base64url(flipped)}`)
  }
})

test('no other number, order or mixture of parts is a token', async () => {
  const foreign = w.sign({ sub: 'u2' }).split('.')
  const parts = [header, claims, signature, '', ...foreign.slice(1)]
  const mixed = fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((each) => each.join('.'))
  await fc.assert(
    fc.asyncProperty(mixed, async (token) => {
      fc.pre(token !== good && token !== foreign.join('.'))
      await refused(token)
    }),
    draws,
  )
  for (const token of [
    '',
    '.',
    '..',
    '...',
    `${good}.`,
    `.${good}`,
    `${good}.${signature}`,
    `${header}.${claims}`,
    `${header}..${signature}`,
  ])
    await refused(token)
})

test('a token has one spelling: padding, left-over bits, white space and the other alphabet are refused', async () => {
  const spellings = [header, claims, signature].flatMap((part, index) => {
    const others = [`${part}=`, `${part}==`, ` ${part}`, `${part} `, `${part}\n`, `${part}\t`, `${part}%3D`, `\u00a0${part}`, `${part}\0`]
    // The last letter of a part whose length is no multiple of four carries bits that no byte needs.
    for (const letter of part.length % 4 === 0 ? '' : letters) others.push(part.slice(0, -1) + letter)
    if (/[-_]/.test(part)) others.push(part.replaceAll('-', '+').replaceAll('_', '/'))
    return others.filter((other) => other !== part).map((other) => [header, claims, signature].with(index, other).join('.'))
  })
  for (const token of spellings) await refused(token)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length }), fc.constantFrom(' ', '\n', '\r\n', '=', '\t', '\u200b', '%'), (at, space) =>
      refused(good.slice(0, at) + space + good.slice(at)),
    ),
    draws,
  )
})

test('JSON that parsers read in two ways is refused, though the signature is right', async () => {
  const [plainHeader, plainClaims] = [JSON.stringify(goodHeader), JSON.stringify(w.claims)]
  assert.equal((await w.verifier.verify(signTexts(plainHeader, plainClaims, w.key.privateKey))).id, 'u1')
  for (const name of Object.keys(goodHeader))
    for (const value of ['"none"', JSON.stringify(goodHeader[name])])
      await refused(signTexts(`{"${name}":${value},${plainHeader.slice(1)}`, plainClaims, w.key.privateKey))
  for (const name of Object.keys(w.claims))
    for (const text of [
      `{"${name}":"admin",${plainClaims.slice(1)}`,
      `${plainClaims.slice(0, -1)},"${name}":${JSON.stringify(w.claims[name])}}`,
    ])
      await refused(signTexts(plainHeader, text, w.key.privateKey))
  const odd = [
    ` ${plainClaims}`,
    `${plainClaims}\n`,
    plainClaims.replace('"sub"', '"\\u0073ub"'),
    `\ufeff${plainClaims}`,
    '[]',
    'null',
    '1',
    '"x"',
    '{',
  ]
  for (const text of [...odd, plainClaims.replace('"gen":1', '"gen":1.0'), plainClaims.replace('"gen":1', '"gen":1e0')]) {
    await refused(signTexts(plainHeader, text, w.key.privateKey))
    await refused(signTexts(text, plainClaims, w.key.privateKey))
  }
})

test('every claim that is missing, of another type or of another value is refused, though the signature is right', async () => {
  const required = ['iss', 'aud', 'sub', 'tid', 'client_id', 'iat', 'exp', 'jti']
  for (const name of required) await refused(w.sign({ [name]: undefined }), name)

  const seconds = w.claims.iat as number
  const notWord = fc.oneof(
    fc.constantFrom('', 'a b', 'ä', '\u0000', 'x'.repeat(257), 'a\n'),
    fc.jsonValue().filter((value) => typeof value !== 'string'),
  )
  const notCount = fc.oneof(
    fc.constantFrom(-1, 0.5, Number.MAX_SAFE_INTEGER + 1, '1'),
    fc.jsonValue().filter((value) => typeof value !== 'number'),
  )
  const notList = fc.jsonValue().filter((value) => !Array.isArray(value) || value.some((each) => typeof each !== 'string'))
  const not = (right: unknown, near: readonly unknown[]) =>
    fc.oneof(fc.constantFrom(...near), fc.jsonValue(), fc.string()).filter((value) => JSON.stringify(value) !== JSON.stringify(right))
  const wrong: Record<string, fc.Arbitrary<unknown>> = {
    iss: not(w.claims.iss, [
      'http://localhost:8080',
      'http://localhost:8080/oidc/',
      'HTTP://localhost:8080/oidc',
      [w.claims.iss],
      'http://acme.localhost:8080/oidc',
    ]),
    aud: not('gatehouse', ['Gatehouse', ['gatehouse'], ['gatehouse', 'billing'], 'billing', 'gatehouse ']),
    tid: not('default', ['acme', 'Default', ['default'], '__proto__', 'constructor']),
    sub: notWord,
    client_id: notWord,
    jti: notWord,
    sid: notWord,
    acr: notWord,
    amr: notList,
    permissions: notList,
    gen: notCount,
    auth_time: notCount,
    iat: fc.oneof(notCount, fc.constantFrom(seconds - 1, 0, seconds + 120)),
    exp: fc.oneof(notCount, fc.constantFrom(seconds - 60, 0, seconds + 601, seconds + 31_536_000)),
    nbf: fc.oneof(fc.constantFrom(seconds + 3600, '0', true, null)),
    // Whatever it binds the token to: nobody here has checked a proof of it.
    cnf: fc.oneof(fc.jsonValue(), fc.constant({ jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' })),
  }
  for (const [name, values] of Object.entries(wrong))
    await fc.assert(
      fc.asyncProperty(values, (value) => refused(w.sign({ [name]: value }), `${name}: ${JSON.stringify(value)}`)),
      { ...draws, numRuns: 25 },
    )
})

test('every other header is refused, though the signature is right, and nobody is asked for the keys that it names', async () => {
  const before = w.looks()
  const jwk = newKey().publicKey.export({ format: 'jwk' })
  const members: [string, unknown][] = [
    ['jku', 'https://evil.example/jwks.json'],
    ['x5u', 'https://evil.example/cert.pem'],
    ['jwk', jwk],
    ['x5c', ['MIIB']],
    ['x5t', 'AAAA'],
    ['x5t#S256', 'AAAA'],
    ['crit', []],
    ['crit', ['exp']],
    ['crit', ['b64']],
    ['b64', true],
    ['b64', false],
    ['zip', 'DEF'],
    ['cty', 'JWT'],
    ['enc', 'A256GCM'],
    ['nonce', 'x'],
  ]
  for (const [name, value] of members) await refused(w.sign({}, { [name]: value }), name)
  await refused(w.sign({}, { crit: ['b64'], b64: true }))
  const anyMember = fc.tuple(fc.string(), fc.jsonValue()).filter(([name]) => !Object.hasOwn(goodHeader, name) && name !== '__proto__')
  await fc.assert(
    fc.asyncProperty(anyMember, ([name, value]) => refused(w.sign({}, { [name]: value }))),
    draws,
  )
  for (const name of ['alg', 'typ', 'kid']) {
    await refused(w.sign({}, { [name]: undefined }), name)
    const others = fc.oneof(fc.string(), fc.jsonValue()).filter((value) => value !== goodHeader[name])
    await fc.assert(
      fc.asyncProperty(others, (value) => refused(w.sign({}, { [name]: value }), `${name}: ${JSON.stringify(value)}`)),
      { ...draws, numRuns: 25 },
    )
  }
  for (const typ of ['JWT', 'jwt', 'AT+JWT', 'at+jwt ', 'application/AT+jwt', 'dpop+jwt', 'logout+jwt', 'gatehouse-workload+jwt', 'id+jwt'])
    await refused(w.sign({}, { typ }), typ)
  for (const kid of ['../../etc/passwd', "k1' or '1'='1", 'k1\0', '__proto__', 'toString', 'K1', 'x'.repeat(129), 'http://evil.example/k'])
    await refused(w.sign({}, { kid }), kid)
  assert.ok(w.looks() - before < 5_000, 'only the directory is asked')
})

test('no other algorithm is believed, with whatever is public as its secret', async () => {
  const encode = (value: object) => base64url(JSON.stringify(value))
  const cases = Array.from({ length: 16 }, (_, bits) =>
    [...'none'].map((letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join(''),
  )
  const input = (alg: unknown) => `${encode({ ...goodHeader, alg })}.${encode(w.claims)}`
  for (const alg of [...cases, '', null, 0, [], ['ES256'], 'es256', 'ES256 ', 'ES256K', 'ES384', 'EdDSA', 'RS256', 'PS256', 'HS256', 'dir'])
    for (const end of ['', 'AAAA', signature]) await refused(`${input(alg)}.${end}`)
  const { publicKey } = w.key
  const jwk = publicKey.export({ format: 'jwk' })
  const secrets = [
    w.records[0]?.jwks[0] ?? '',
    JSON.stringify(jwk),
    JSON.stringify({ keys: [jwk] }),
    publicKey.export({ format: 'pem', type: 'spki' }),
    String(publicKey.export({ format: 'pem', type: 'spki' })).trim(),
    publicKey.export({ format: 'der', type: 'spki' }),
    Buffer.from(String(jwk.x), 'base64url'),
    '',
  ]
  for (const [alg, hash] of [
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['ES256', 'sha512'],
  ] as const)
    for (const secret of secrets) await refused(`${input(alg)}.${base64url(createHmac(hash, secret).update(input(alg)).digest())}`)
})

test('a key speaks for its own tenant only, and a stranger’s for nobody', async () => {
  const acme: Members = { iss: 'http://acme.localhost:8080/oidc', tid: 'acme' }
  const byAcme = w.keyOfAcme.privateKey
  assert.equal((await w.verifier.verify(w.sign(acme, { kid: 'a1' }, byAcme))).tenant, 'acme')
  const forged: [Members, Members, typeof byAcme][] = [
    [{}, {}, newKey().privateKey],
    [{}, {}, byAcme],
    [{}, { kid: 'a1' }, byAcme],
    [{ iss: acme.iss }, { kid: 'a1' }, byAcme],
    [{ tid: 'acme' }, { kid: 'a1' }, byAcme],
    [acme, {}, w.key.privateKey],
    [acme, { kid: 'a1' }, w.key.privateKey],
    [{ iss: 'https://elsewhere.example/oidc', tid: 'elsewhere' }, {}, w.key.privateKey],
  ]
  for (const [change, head, by] of forged) await refused(w.sign(change, head, by), JSON.stringify([change, head]))
})

test('a token is bounded in length', async () => {
  const padded = (length: number) => w.sign({ permissions: ['x'.repeat(length)] })
  assert.equal((await w.verifier.verify(padded(5_000))).id, 'u1')
  for (const length of [8_000, 100_000]) await refused(padded(length))
  await refused('x'.repeat(10_000_000), 'ten megabytes of nothing')
})

test('the twin of a signature is the same token, and ends with its session', async () => {
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const token = w.sign({ sid: 's-twin' })
  const bytes = Buffer.from(token.split('.')[2] ?? '', 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')])
  const twin = `${token.slice(0, token.lastIndexOf('.'))}.${base64url(other)}`
  assert.notEqual(twin, token)
  for (const each of [token, twin]) assert.equal((await w.verifier.verify(each)).sessionId, 's-twin')
  w.revocations.add('s-twin', Date.now() + 600_000)
  for (const each of [token, twin]) {
    assert.equal(w.verifier.known?.(each), undefined)
    await refused(each)
  }
})
