import { createAccessTokenVerifier, createRevocationList, followIssuers } from '@gatehouse/identity'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Verifies access tokens as our doors do, and with jose alone. */
export interface VerifyTokensActs extends CommonActs {
  /** Makes so many different tokens. */
  prepare(count: number): Promise<void>
  /** Tokens a second, one after the other. */
  run(order: { readonly side: Side; readonly seconds: number }): Promise<number>
}

type Side = 'first sight' | 'seen before' | 'jose'

const origin = 'http://localhost:8080'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }
const issuers = followIssuers(async () => [{ tenant: 'default', origin, hosts: ['localhost:8080'], jwks: [JSON.stringify(jwk)] }])
const tokens: string[] = []

answerParent<Omit<VerifyTokensActs, 'usage'>>({
  async prepare(count) {
    await issuers.lookAgain()
    for (let number = 0; number < count; number++) tokens.push(await sign(number))
  },
  async run({ side, seconds }) {
    const verify = verifierOf(side)
    const end = performance.now() + seconds * 1000
    const began = performance.now()
    let count = 0
    for (; performance.now() < end; count++) {
      const person = await verify(tokens[count % tokens.length] ?? '')
      if (person !== `person-${count % tokens.length}`) throw new Error(`verified as ${person}`)
    }
    return (count / (performance.now() - began)) * 1000
  },
})

const remembering = createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations: createRevocationList() })
// Remembers one token, and never sees the same one twice in a row.
const forgetting = createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations: createRevocationList(), remembered: 1 })

function verifierOf(side: Side): (token: string) => Promise<string> {
  if (side === 'jose')
    return async (token) => {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: `${origin}/oidc`,
        audience: 'gatehouse',
        requiredClaims: ['exp', 'sub', 'client_id', 'iat', 'jti', 'tid'],
      })
      return payload.sub ?? ''
    }
  const verifier = side === 'seen before' ? remembering : forgetting
  return async (token) => (await verifier.verify(token)).id
}

function sign(number: number): Promise<string> {
  return new SignJWT({ client_id: 'console', sid: crypto.randomUUID(), tid: 'default', permissions: ['user.users.read'] })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
    .setIssuer(`${origin}/oidc`)
    .setAudience('gatehouse')
    .setSubject(`person-${number}`)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(privateKey)
}
