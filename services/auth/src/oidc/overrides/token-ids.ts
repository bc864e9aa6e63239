import { randomBytes } from 'node:crypto'
import type Provider from 'oidc-provider'
import { v7 as uuidv7 } from 'uuid'

/** A token of 256 random bits that says what it is, for whoever finds one in a log. */
export function opaqueId(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** What the library's types leave out of its models. */
interface Named {
  format?: string
  generateTokenId(): string
}

/** Grants and JWTs have UUIDs: revocations name sessions, grants and tokens alike. */
export function ourTokenIds(provider: Provider): void {
  Object.assign(provider.Grant.prototype, { generateTokenId: () => uuidv7() })
  for (const model of [provider.AccessToken, provider.ClientCredentials]) {
    const prototype: Named = model.prototype as unknown as Named
    const { generateTokenId } = prototype
    prototype.generateTokenId = function nameToken() {
      // It decides the format along the way.
      generateTokenId.call(this)
      return this.format === 'jwt' ? uuidv7() : opaqueId('goa_')
    }
  }
}
