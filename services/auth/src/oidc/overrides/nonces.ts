import type Provider from 'oidc-provider'
import ServerChallenge from 'oidc-provider/lib/helpers/challenge.js'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import { nonceSecretOf } from '../features.ts'
import type { ProviderParts } from '../oidc-deps.ts'

/** A nonce is good too that a replica gave under the other key, while one key replaces the other: the library knows of one. */
export function noncesOfAllKeys(provider: Provider, { challengeKeys, tenant }: Pick<ProviderParts, 'challengeKeys' | 'tenant'>): void {
  const { DPoPNonces: nonces } = instance(provider)
  const check = nonces.checkChallenge.bind(nonces)
  const others = challengeKeys.accepted.slice(1).map((key) => new ServerChallenge(nonceSecretOf(key, tenant), 'DPoP'))
  nonces.checkChallenge = (nonce) => check(nonce) || others.some((other) => other.checkChallenge(nonce))
}
