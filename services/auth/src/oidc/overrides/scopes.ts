import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'

/** Scopes belong to a resource. Without one the library would write whatever a program asked for into its token, for whoever looks at it to believe. */
export function scopesOfResources(provider: Provider): void {
  const { prototype } = provider.ClientCredentials
  const { save } = prototype
  prototype.save = function saveWithScope() {
    const { scope, resourceServer } = this as typeof this & { readonly scope?: string; readonly resourceServer?: object }
    if (scope !== undefined && resourceServer === undefined)
      throw new errors.InvalidScope('a scope needs the resource that it is of', scope)
    return save.call(this)
  }
}
