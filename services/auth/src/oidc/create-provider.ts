import Provider from 'oidc-provider'
import { configurationOf } from './configuration.ts'
import { tellEvents } from './events.ts'
import type { ProviderParts } from './oidc-deps.ts'
import { datesInteractions } from './overrides/asked-at.ts'
import { hashedSecrets, logoutsByWorker } from './overrides/client.ts'
import { formsToClients } from './overrides/content-policy.ts'
import { askedAcr, secureCookies } from './overrides/context.ts'
import { tellInterval } from './overrides/device-interval.ts'
import { claimsInIdTokens, tellAlgorithms } from './overrides/id-token.ts'
import { noncesOfAllKeys } from './overrides/nonces.ts'
import { finishOurAnswers } from './overrides/our-tokens.ts'
import { exactReplayDetection } from './overrides/replay.ts'
import { scopesOfResources } from './overrides/scopes.ts'
import { grantsOfSessions, ourSessions } from './overrides/session.ts'
import { codesAreUses } from './overrides/session-use.ts'
import { codesAfterPeople, rotatingRefreshTokens } from './overrides/single-use.ts'
import { ourTokenIds } from './overrides/token-ids.ts'
import { answersOfRegistration } from './registration.ts'
import { exchangesTokens } from './token-exchange.ts'

/** The library over our people, sessions, keys and Postgres. Everything in which it is not itself stands here, in the order in which it is applied. */
export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.issuer, configurationOf(parts))
  // Safe because the mount overwrote every header from which an address could be taken.
  provider.proxy = true
  secureCookies(provider)
  askedAcr(provider)
  ourSessions(provider, parts)
  grantsOfSessions(provider)
  datesInteractions(provider, parts)
  ourTokenIds(provider)
  codesAfterPeople(provider, parts)
  rotatingRefreshTokens(provider, parts)
  exactReplayDetection(provider, parts)
  noncesOfAllKeys(provider, parts)
  scopesOfResources(provider)
  claimsInIdTokens(provider)
  exchangesTokens(provider, parts)
  hashedSecrets(provider, parts)
  codesAreUses(provider, parts)
  logoutsByWorker(provider, parts)
  formsToClients(provider)
  tellInterval(provider)
  tellAlgorithms(provider)
  answersOfRegistration(provider)
  finishOurAnswers(provider)
  tellEvents(provider, parts)
  return provider
}
