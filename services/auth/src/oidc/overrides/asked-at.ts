import type Provider from 'oidc-provider'
import type { ProviderParts } from '../oidc-deps.ts'
import { keepAlso } from './keep-also.ts'

/** The library dates an interaction by whole seconds: a sign-in of the same second would pass for one that came after it. */
export function datesInteractions(provider: Provider, { now }: Pick<ProviderParts, 'now'>): void {
  keepAlso(provider.Interaction, 'askedAtMs')
  const { prototype } = provider.Interaction
  const { save } = prototype
  prototype.save = function saveWithTime(ttl) {
    const interaction = this as typeof this & { askedAtMs?: number }
    interaction.askedAtMs ??= now()
    return save.call(this, ttl)
  }
}
