import { generateKeyPairSync } from 'node:crypto'
import { macKeys } from '@gatehouse/rpc'
import type Provider from 'oidc-provider'
import { createEgress } from '../src/core/egress/egress.ts'
import { createProvider } from '../src/oidc/create-provider.ts'
import type { ProviderParts } from '../src/oidc/oidc-deps.ts'
import { plainPages } from '../src/oidc/plain-pages.ts'
import { type ActsInMemory, actsInMemory } from './oidc-acts-in-memory.ts'

export const ISSUER = 'http://localhost:8080/oidc'

export interface TestProvider {
  readonly provider: Provider
  readonly acts: ActsInMemory
  /** What went to the log as an error. */
  readonly faults: string[]
}

/** The library as it is set up for a tenant, over acts in memory. */
export function testProvider(changes: Partial<ProviderParts> = {}): TestProvider {
  const acts = actsInMemory()
  const faults: string[] = []
  const unasked = () => Promise.reject(new TypeError('not asked here'))
  const provider = createProvider({
    acts,
    tenant: 'default',
    issuer: ISSUER,
    jwks: [signingJwk('k1')],
    keys: { oidcKeys: unasked, publicKeys: unasked },
    issuers: {
      known: true,
      issuer: () => undefined,
      tenantOfHost: () => undefined,
      lookAgain: async () => {},
    } as unknown as ProviderParts['issuers'],
    look: unasked,
    inspector: { inspect: unasked, known: () => undefined },
    limits: { take: async () => ({ allowed: true }) },
    log: {
      info() {},
      warn() {},
      error: (fields: object, message?: string) => void faults.push(`${message} ${JSON.stringify(fields)}`),
    } as ProviderParts['log'],
    egress: createEgress(),
    now: Date.now,
    pages: plainPages,
    offline: { absoluteSeconds: 90 * 86_400, idleSeconds: 30 * 86_400 },
    challengeKeys: macKeys(Buffer.alloc(32, 8).toString('base64')),
    cookiesOfSession: ['__Host-gatehouse-refresh'],
    conformance: false,
    registration: false,
    ...changes,
  })
  return { provider, acts, faults }
}

/** A new private key as the library takes it. */
export function signingJwk(kid: string): ProviderParts['jwks'][number] {
  const {
    kty = '',
    crv = '',
    x = '',
    y = '',
    d = '',
  } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  return { kty, crv, x, y, d, kid, alg: 'ES256', use: 'sig' }
}
