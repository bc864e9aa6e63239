import { unbounded } from '@gatehouse/postgres'
import { LRUCache } from 'lru-cache'
import { findClient } from '../../../store/oidc/clients.ts'
import type { Deps } from '../../deps.ts'
import type { LibraryMetadata } from '../oidc-parts.ts'
import { withSecrets } from './client-change.ts'
import { hasSecrets } from './client-metadata.ts'

/** Within this every replica goes by what was changed. */
const knownMs = 1_000

/** Stands where the library asks for a secret, of which we have none: ours are compared by their hashes, and nothing that a client secret could sign is enabled. */
const noSecret = 'hashed'

/** Asks for clients as the library knows them; what it asks again within a second is answered from memory. */
export function createKnownClients(
  deps: Pick<Deps, 'db' | 'now'>,
): (tenant: string, clientId: string) => Promise<LibraryMetadata | undefined> {
  const cache = new LRUCache<string, { readonly metadata: LibraryMetadata | undefined }>({
    max: 10_000,
    ttl: knownMs,
    fetchMethod: async (key) => {
      const [tenant = '', clientId = ''] = key.split('\0')
      // Many wait for one look, and none of their deadlines is its own.
      return { metadata: await unbounded(() => readClient(deps, tenant, clientId)) }
    },
  })
  return async (tenant, clientId) => {
    // No id that was ever given is another one; a stranger's words reach neither the memory nor the database.
    if (!/^[a-z0-9-]{1,63}$/.test(clientId)) return undefined
    const key = `${tenant}\0${clientId}`
    return (cache.get(key) ?? (await cache.fetch(key)))?.metadata
  }
}

/** What of it stands in the row as the library knows it. */
type Stored = Pick<
  LibraryMetadata,
  'gatehouse_origins' | 'gatehouse_id_token_seconds' | 'gatehouse_claims_in_id_token' | 'gatehouse_min_strength' | 'gatehouse_conformance'
>

async function readClient(deps: Pick<Deps, 'db' | 'now'>, tenant: string, clientId: string): Promise<LibraryMetadata | undefined> {
  const found = await findClient(deps.db, { tenant, clientId })
  if (found === undefined || found.disable_time !== null) return undefined
  const { row, secrets } = await withSecrets(deps.db, found, deps.now())
  const { gatehouse_kind: _, gatehouse_registered: __, ...metadata } = row.metadata

  return {
    ...(metadata as unknown as Stored),
    client_id: clientId,
    client_name: row.name,
    // The library takes a client that names none for one that takes all.
    response_modes: row.metadata.response_modes ?? ['query'],
    ...(hasSecrets(row) && { client_secret: noSecret }),
    ...(row.backchannel_logout_uri !== null && {
      backchannel_logout_uri: row.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    }),
    gatehouse_secrets: hasSecrets(row)
      ? secrets.map(({ secret_hash, expire_time }) => ({
          hash: Buffer.from(secret_hash).toString('base64url'),
          expire: expire_time?.getTime() ?? null,
        }))
      : [],
    gatehouse_first_party: row.first_party,
    gatehouse_resources: row.resources,
    gatehouse_introspects: row.introspects,
  }
}
