import type { KoaContextWithOIDC } from 'oidc-provider'
import type { LibraryMetadata } from '../core/oidc/oidc-parts.ts'

export type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>

/** What we know of a client under names of our own. */
export type ClientFacts = Pick<
  LibraryMetadata,
  | 'gatehouse_secrets'
  | 'gatehouse_first_party'
  | 'gatehouse_origins'
  | 'gatehouse_resources'
  | 'gatehouse_introspects'
  | 'gatehouse_id_token_seconds'
  | 'gatehouse_claims_in_id_token'
  | 'gatehouse_min_strength'
  | 'gatehouse_conformance'
>

/** Their names, which the library carries along from the client's record. */
export const factNames: readonly (keyof ClientFacts & string)[] = [
  'gatehouse_secrets',
  'gatehouse_first_party',
  'gatehouse_origins',
  'gatehouse_resources',
  'gatehouse_introspects',
  'gatehouse_id_token_seconds',
  'gatehouse_claims_in_id_token',
  'gatehouse_min_strength',
  'gatehouse_conformance',
]

/** The facts of a client that came out of the adapter: the library keeps members that it does not know under the names that they have. */
export function factsOf(client: Client): ClientFacts {
  return client as Client & ClientFacts
}
