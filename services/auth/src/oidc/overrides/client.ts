import type Provider from 'oidc-provider'
import { factsOf } from '../client-facts.ts'
import { currentContext } from '../current-context.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import { type Backchannel, keepBackchannel } from '../tell-logout.ts'

/** Secrets of clients are kept as hashes, and two may live at once. */
export function hashedSecrets(provider: Provider, { acts }: Pick<ProviderParts, 'acts'>): void {
  provider.Client.prototype.compareClientSecret = function compare(actual) {
    return acts.clients.secretFits(factsOf(this).gatehouse_secrets, actual)
  }
}

/**
 * A client hears of an ended session by what is written down where sessions end, whichever way that is: not from this page, once. Where somebody signs out of one client
 * and stays signed in here, it is this page that writes it down.
 */
export function logoutsByWorker(provider: Provider, { acts, tenant }: Pick<ProviderParts, 'acts' | 'tenant'>): void {
  const client = provider.Client.prototype as typeof provider.Client.prototype & { backchannelLogout: Backchannel }
  keepBackchannel(provider, client.backchannelLogout)
  client.backchannelLogout = async function writeDown(sub) {
    const oidc = currentContext()?.oidc
    if (oidc?.session === undefined || oidc.params?.logout) return
    await acts.logouts.enqueue(tenant, { sessionId: oidc.session.uid, clientId: this.clientId, userId: sub })
  }
}
