import { toBinary, toJson } from '@bufbuild/protobuf'
import type { IssuerRecord } from '@gatehouse/identity'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { echo, echoRequest } from './echo-contract.ts'
import type { CallPlan } from './load/closed-loop.ts'

/** A person's access token as auth signs them, of about 600 bytes, and the issuer that verifies it. */
export async function benchToken(): Promise<{ token: string; issuer: IssuerRecord }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const origin = 'http://localhost:8080'
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }
  const token = await new SignJWT({
    client_id: 'console',
    sid: '0190a0de-0000-7000-8000-000000000002',
    tid: 'default',
    auth_time: Math.floor(Date.now() / 1000),
    amr: ['pwd'],
    permissions: ['user.users.read'],
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
    .setIssuer(`${origin}/oidc`)
    .setAudience('gatehouse')
    .setSubject('0190a0de-0000-7000-8000-000000000001')
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(privateKey)
  return { token, issuer: { tenant: 'default', origin, hosts: ['localhost:8080', '127.0.0.1'], jwks: [JSON.stringify(jwk)] } }
}

const messages = Array.from({ length: 64 }, (_, number) =>
  echoRequest(`0190a0de-0000-7000-8000-${number.toString(16).padStart(12, '0')}`, `what the caller says, number ${number}`),
)

/** Calls of the echo as protobuf. */
export const echoCalls: readonly CallPlan[] = messages.map((message) => {
  const bytes = toBinary(echo.input, message)
  return { request: bytes, answer: bytes }
})

/** The same as JSON. */
export const echoJsonCalls: readonly CallPlan[] = messages.map((message) => {
  const bytes = Buffer.from(JSON.stringify(toJson(echo.input, message)))
  return { request: bytes, answer: bytes }
})
