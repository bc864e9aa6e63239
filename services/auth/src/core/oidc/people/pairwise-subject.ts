import { createHmac } from 'node:crypto'
import type { LibraryMetadata } from '../oidc-parts.ts'

/** By what clients of one owner know people (OpenID Connect Core, section 8.1): the one host of their redirect URIs. */
export function sectorOf(redirectUris: readonly string[]): string {
  const [host, ...more] = new Set(redirectUris.map((uri) => new URL(uri).host))
  if (host === undefined || host === '' || more.length > 0) throw new TypeError('a pairwise client has redirect URIs of one host')
  return host
}

export function isPairwise(client: LibraryMetadata): boolean {
  return client.subject_type === 'pairwise'
}

/**
 * The id by which a client knows somebody: their own, or one that clients of other sectors cannot tell for the same person. Nothing is kept of it, so that it is
 * another one under another key.
 */
export function subjectFor(
  key: Uint8Array | undefined,
  { tenant, client, userId }: { readonly tenant: string; readonly client: LibraryMetadata; readonly userId: string },
): string {
  if (!isPairwise(client)) return userId
  // Nobody is told the id that they were promised not to be.
  if (key === undefined) throw new TypeError('a pairwise client, and no OIDC_PAIRWISE_KEY')
  const sector = sectorOf(client.redirect_uris as readonly string[])
  return createHmac('sha256', key).update(`oidc pairwise\0${tenant}\0${sector}\0${userId}`).digest('base64url')
}
