import type Provider from 'oidc-provider'
import type { TellLogout } from '../core/oidc/logout/deliver-logouts.ts'
import type { Client } from './client-facts.ts'
import type { OidcDeps } from './oidc-deps.ts'
import type { Providers } from './providers.ts'

/** The library's own way to tell a client: a logout token, made anew each time, posted to where it wants to be told. */
export type Backchannel = (this: Client, sub: string, sid: string) => Promise<void>

const ways = new WeakMap<Provider, Backchannel>()

/** Keeps what the library does, for the worker that does it outside of its pages. */
export function keepBackchannel(provider: Provider, tell: Backchannel): void {
  ways.set(provider, tell)
}

/** Tells clients by the library, with the keys that sign at that moment. */
export function logoutTeller({ acts }: Pick<OidcDeps, 'acts'>, providers: Providers): TellLogout {
  return async ({ tenant, sessionId, clientId, userId }) => {
    const { provider } = await providers.of(tenant)
    const client = await provider.Client.find(clientId)
    const tell = ways.get(provider)
    if (client?.backchannelLogoutUri === undefined || tell === undefined) return 'dropped'
    const sids = acts.sessions.sidsOf(tenant, sessionId, clientId)
    // Whoever is not told the session's name needs to hear of it once.
    const told = await Promise.allSettled(
      sids.slice(0, client.backchannelLogoutSessionRequired ? sids.length : 1).map((sid) => tell.call(client, userId, sid)),
    )
    const failures = told.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    // Under one of the names it may know no session, and may say so.
    const failure = failures.length === told.length ? failures[0] : failures.find((each) => !isRefusal(each))
    if (failure !== undefined) throw failure
    return 'delivered'
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'response' in error && (error.response as Response).status === 400
}
