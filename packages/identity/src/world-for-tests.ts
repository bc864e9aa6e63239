import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createAccessTokenVerifier, createRevocationList, followIssuers } from './index.ts'

/** Claims or members of a header. */
export type Members = Record<string, unknown>

export interface TestKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** As it is published. */
  jwk(kid: string): string
}

export function newKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = (kid: string) => JSON.stringify({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' })
  return { privateKey, publicKey, jwk }
}

/** A compact JWS of whatever texts, with a signature that is right. */
export function signTexts(header: string, claims: string, key: KeyObject): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(claims).toString('base64url')}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export const goodHeader: Members = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' }

/** Two tenants with a key each, a clock, and a verifier that trusts them. */
export async function tokenWorld() {
  const [key, keyOfAcme] = [newKey(), newKey()]
  const records = [
    { tenant: 'default', origin: 'http://localhost:8080', hosts: ['localhost:8080'], jwks: [key.jwk('k1')] },
    { tenant: 'acme', origin: 'http://acme.localhost:8080', hosts: ['acme.localhost:8080'], jwks: [keyOfAcme.jwk('a1')] },
  ]
  let looks = 0
  let away = false
  const issuers = followIssuers(
    async () => {
      looks++
      if (away) throw new Error('away')
      return records
    },
    { cooldownMs: 0 },
  )
  await issuers.lookAgain()
  const revocations = createRevocationList()
  const clock = { now: Date.now() }
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations, now: () => clock.now })
  const seconds = Math.floor(Date.now() / 1000)
  const claims: Members = {
    iss: 'http://localhost:8080/oidc',
    aud: 'gatehouse',
    sub: 'u1',
    tid: 'default',
    sid: 's1',
    client_id: 'gatehouse',
    iat: seconds,
    exp: seconds + 600,
    auth_time: seconds,
    amr: ['pwd'],
    acr: 'aal1',
    gen: 1,
    jti: 'j1',
    permissions: ['user.users.read'],
  }
  /** The claims and header with changes; undefined takes a member away. */
  const signed = (change: Members = {}, header: Members = {}, by = key.privateKey) =>
    signTexts(JSON.stringify({ ...goodHeader, ...header }), JSON.stringify({ ...claims, ...change }), by)
  return {
    issuers,
    verifier,
    revocations,
    clock,
    claims,
    records,
    key,
    keyOfAcme,
    sign: signed,
    looks: () => looks,
    leave: () => {
      away = true
    },
    [Symbol.asyncDispose]: () => issuers[Symbol.asyncDispose](),
  }
}
