import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import {
  createClusterVerifier,
  createProjectedSigner,
  createWorkloadVerifiers,
  type RegisteredWorkload,
  readClusters,
  TokenInvalid,
  type WorkloadVerifier,
} from './index.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const subject = 'system:serviceaccount:gatehouse:user'

interface Key {
  readonly kid: string
  readonly alg: 'RS256' | 'ES256'
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

async function makeKey(alg: Key['alg'], kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

let rsa: Key
let ec: Key
let folder: string
let jwksFile: string
before(async () => {
  ;[rsa, ec, folder] = await Promise.all([makeKey('RS256', 'rsa'), makeKey('ES256', 'ec'), mkdtemp(join(tmpdir(), 'gatehouse-cluster-'))])
  jwksFile = join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys: [rsa.jwk, ec.jwk] }))
})
after(() => rm(folder, { recursive: true }))

/** A token as a kubelet projects it. */
function project(key: Key, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const pod = { namespace: 'gatehouse', serviceaccount: { name: 'user', uid: crypto.randomUUID() } }
  const all = { iss: issuer, sub: subject, aud: ['auth'], iat: now, nbf: now, exp: now + 3607, 'kubernetes.io': pod, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
}

function open(registered: RegisteredWorkload[] = [], more: { audience?: string; now?: () => number; url?: URL } = {}): WorkloadVerifier {
  const { url, now, audience } = more
  return createClusterVerifier({
    self: 'auth',
    clusters: [
      { issuer, keys: url ? { url } : { file: jwksFile }, workloads: new Map([[subject, 'user']]), ...(audience && { audience }) },
    ],
    directory: { find: (iss, sub) => registered.find((each) => each.issuer === iss && each.subject === sub) },
    ...(now && { now }),
  })
}

test('a projected token of either algorithm proves the workload that the configuration maps', async () => {
  const verifier = open()
  for (const key of [rsa, ec]) {
    const token = await project(key)
    assert.equal(await verifier.verify(token), 'user')
    assert.equal(verifier.known?.(token), 'user')
  }
  assert.equal(await verifier.verify(await project(rsa, { aud: 'auth' })), 'user')
})

test('issuer, subject, audience and time are pinned', async () => {
  const verifier = open()
  const now = Math.floor(Date.now() / 1000)
  const wrong: Record<string, unknown>[] = [
    { iss: `${issuer}/` },
    { iss: 'gatehouse-workload' },
    { iss: undefined },
    { sub: 'system:serviceaccount:gatehouse:user2' },
    { sub: 'system:serviceaccount:other:user' },
    { sub: 'user' },
    { sub: undefined },
    { aud: ['user'] },
    { aud: ['auth', 'user'] },
    { aud: ['https://kubernetes.default.svc'] },
    { aud: [] },
    { aud: undefined },
    { exp: now - 60 },
    { exp: undefined },
    { iat: undefined },
    { nbf: now + 600 },
    { exp: now + 30 * 86_400 },
  ]
  for (const claims of wrong) await assert.rejects(verifier.verify(await project(ec, claims)), TokenInvalid, JSON.stringify(claims))
  assert.equal(await open([], { audience: 'gatehouse' }).verify(await project(ec, { aud: ['gatehouse'] })), 'user')
  await assert.rejects(open([], { audience: 'gatehouse' }).verify(await project(ec)), TokenInvalid)
})

test('forged tokens are refused: another key, algorithm, or letter', async () => {
  const verifier = open()
  const foreign = await makeKey('ES256', 'ec')
  await assert.rejects(verifier.verify(await project(foreign)), TokenInvalid)
  await assert.rejects(verifier.verify(await project(ec, {}, { kid: 'rsa' })), TokenInvalid)
  await assert.rejects(verifier.verify(await project(ec, {}, { kid: 'unknown' })), TokenInvalid)
  const token = await project(ec)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'ec' })).toString('base64url')
  for (const text of [
    '',
    'x',
    'a.b.c',
    `${header}.${payload}.`,
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    token.repeat(20),
  ])
    await assert.rejects(verifier.verify(text), TokenInvalid, text.slice(0, 40))
  for (let place = header.length + 1; place < token.length; place += 7) {
    const letter = token[place] === 'A' ? 'B' : 'A'
    if (token[place] !== '.') await assert.rejects(verifier.verify(token.slice(0, place) + letter + token.slice(place + 1)), TokenInvalid)
  }
  assert.equal(await verifier.verify(token), 'user')
})

test('another team’s workload is who the registry says, for its own audience, and nobody when it is forgotten', async () => {
  const registered = [{ name: 'billing', issuer, subject: 'system:serviceaccount:shop:billing', audience: 'gatehouse', calls: [] }]
  const verifier = open(registered)
  const token = await project(rsa, { sub: 'system:serviceaccount:shop:billing', aud: ['gatehouse'] })
  assert.equal(await verifier.verify(token), 'billing')
  await assert.rejects(verifier.verify(await project(rsa, { sub: 'system:serviceaccount:shop:billing' })), TokenInvalid)
  registered.length = 0
  assert.equal(verifier.known?.(token), undefined)
  await assert.rejects(verifier.verify(token), TokenInvalid)
})

test('a remembered token ends with its time', async () => {
  let offset = 0
  const verifier = open([], { now: () => Date.now() + offset })
  const token = await project(ec)
  await verifier.verify(token)
  offset = 3_700_000
  assert.equal(verifier.known?.(token), undefined)
  await assert.rejects(verifier.verify(token), TokenInvalid)
})

test('keys are fetched from the issuer once, stay while it is away, and unknown ones do not hammer it', async () => {
  let served: JWK[] | undefined = [ec.jwk]
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    if (served) response.end(JSON.stringify({ keys: served }))
    else response.writeHead(500).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/openid/v1/jwks`)
  const verifier = open([], { url })
  const tokens = await Promise.all(Array.from({ length: 20 }, () => project(ec, { jti: crypto.randomUUID() })))
  await Promise.all(tokens.map((token) => verifier.verify(token)))
  assert.equal(asked, 1)
  served = undefined
  for (let number = 0; number < 20; number++)
    await assert.rejects(verifier.verify(await project(ec, {}, { kid: `made-up-${number}` })), TokenInvalid)
  assert.ok(asked <= 2, `${asked} requests`)
  assert.equal(await verifier.verify(await project(ec)), 'user')
  await new Promise((resolve) => server.close(resolve))
})

test('private and short keys of a cluster are not taken, and a half-written file changes nothing', async () => {
  const short = await generateKeyPair('RS256', { extractable: true, modulusLength: 2048 })
  const { n = '' } = await exportJWK(short.publicKey)
  const file = join(folder, 'bad.json')
  writeFileSync(
    file,
    JSON.stringify({
      keys: [{ ...(await exportJWK(ec.privateKey)), kid: 'ec' }, { kty: 'RSA', kid: 'rsa', e: 'AQAB', n: n.slice(0, 171) }, null, 7],
    }),
  )
  const verifier = createClusterVerifier({ self: 'auth', clusters: [{ issuer, keys: { file }, workloads: new Map([[subject, 'user']]) }] })
  for (const key of [ec, rsa]) await assert.rejects(verifier.verify(await project(key)), TokenInvalid)
  const known = open()
  await known.verify(await project(ec))
  writeFileSync(jwksFile, '{"keys": [')
  assert.equal(await known.verify(await project(ec, { jti: 'another' })), 'user')
  writeFileSync(jwksFile, JSON.stringify({ keys: [rsa.jwk, ec.jwk] }))
})

test('the file of clusters is read in words, and key files and clusters are believed side by side', async () => {
  const file = join(folder, 'clusters.json')
  const emptyJwks = join(folder, 'none.json')
  writeFileSync(emptyJwks, '{"keys":[]}')
  writeFileSync(file, JSON.stringify({ clusters: [{ issuer, jwks_file: jwksFile, workloads: { [subject]: 'user' } }] }))
  const directory = { find: () => undefined, mayProve: () => true }
  const verifier = createWorkloadVerifiers({ self: 'auth', jwksFile: emptyJwks, clusters: readClusters(file), directory })
  const token = await project(ec)
  assert.equal(await verifier.verify(token), 'user')
  assert.equal(verifier.known?.(token), 'user')
  for (const clusters of [
    7,
    [{}],
    [{ issuer }],
    [{ issuer, jwks_file: 'a', jwks_url: 'b' }],
    [{ issuer: 'gatehouse-workload', jwks_file: 'a' }],
  ]) {
    writeFileSync(file, JSON.stringify({ clusters }))
    assert.throws(() => readClusters(file), TypeError)
  }
})

test('a pod shows the token that was projected for the peer, and the one that replaced it', async () => {
  const signer = createProjectedSigner('user', join(folder, '{peer}.token'), 0)
  writeFileSync(join(folder, 'auth.token'), 'one\n')
  assert.equal(await signer.tokenFor('auth'), 'one')
  await assert.rejects(signer.tokenFor('notification'))
  writeFileSync(join(folder, 'auth.token'), 'two\n')
  assert.equal(await signer.tokenFor('auth'), 'two')
})
