import { unbounded } from '@gatehouse/postgres'
import { LRUCache } from 'lru-cache'
import { findResource } from '../../../store/oidc/resources.ts'
import type { Deps } from '../../deps.ts'
import type { LibraryMetadata, Resource } from '../oidc-parts.ts'
import { resourceIn } from './resources.ts'

/** Within this every replica goes by what was changed, as of clients. */
const knownMs = 1_000

type Find = (tenant: string, client: Pick<LibraryMetadata, 'gatehouse_resources'>, resource: string) => Promise<Resource | undefined>

/** A resource that a client may ask tokens for; what is asked again within a second is answered from memory. */
export function createKnownResources(deps: Pick<Deps, 'db'>): Find {
  const cache = new LRUCache<string, { readonly found: Resource | undefined }>({
    max: 10_000,
    ttl: knownMs,
    fetchMethod: async (key) => {
      const [tenant = '', resource = ''] = key.split('\0')
      // Many wait for one look, and none of their deadlines is its own.
      const row = await unbounded(() => findResource(deps.db, { tenant, resource }))
      return { found: row && resourceIn(row) }
    },
  })
  return async (tenant, client, resource) => {
    // What a client was not registered for reaches neither the memory nor the database.
    if (!client.gatehouse_resources.includes(resource)) return undefined
    return (await cache.fetch(`${tenant}\0${resource}`))?.found
  }
}
