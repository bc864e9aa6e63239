import type Provider from 'oidc-provider'
import { factsOf } from '../client-facts.ts'
import type { ProviderParts } from '../oidc-deps.ts'

/** Secrets of clients are kept as hashes, and two may live at once. */
export function hashedSecrets(provider: Provider, { acts }: Pick<ProviderParts, 'acts'>): void {
  provider.Client.prototype.compareClientSecret = function compare(actual) {
    return acts.clients.secretFits(factsOf(this).gatehouse_secrets, actual)
  }
}

/** A client hears of an ended session by what is written down where sessions end, whichever way that is: not from this page, once. */
export function noLogoutFromPages(provider: Provider): void {
  Object.assign(provider.Client.prototype, { backchannelLogout: async () => {} })
}
