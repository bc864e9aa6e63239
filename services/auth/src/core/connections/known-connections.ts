import { unbounded } from '@gatehouse/postgres'
import { LRUCache } from 'lru-cache'
import { type ConnectionRow, listConnections } from '../../store/connections/connections.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Within this every replica goes by what was changed. */
const knownMs = 1_000

/** More than a sign-in page can show, and few enough to be read at once. */
export const mostConnections = 100

/** The connections of a tenant that are enabled. */
export interface KnownConnections {
  readonly all: readonly ConnectionRow[]
  readonly byDomain: ReadonlyMap<string, ConnectionRow>
}

const caches = new WeakMap<Db, LRUCache<string, KnownConnections>>()

function cacheOf(db: Db): LRUCache<string, KnownConnections> {
  const known = caches.get(db)
  if (known !== undefined) return known
  const cache = new LRUCache<string, KnownConnections>({
    max: 10_000,
    ttl: knownMs,
    fetchMethod: async (tenant) => {
      // Many wait for one look, and none of their deadlines is its own.
      const rows = await unbounded(() => listConnections(db, { tenant, after: '', limit: mostConnections }))
      const all = rows.filter(({ disable_time }) => disable_time === null)
      return { all, byDomain: new Map(all.flatMap((row) => row.domains.map((domain) => [domain, row] as const))) }
    },
    ignoreFetchAbort: true,
  })
  caches.set(db, cache)
  return cache
}

/** What a tenant has, a second old at most: a sign-in asks for it beside what it asks for anyway, and waits for nothing more. */
export async function connectionsOf({ db }: Pick<Deps, 'db'>, tenant: string): Promise<KnownConnections> {
  const known = await cacheOf(db).fetch(tenant)
  if (known === undefined) throw new Error(`the connections of tenant ${tenant} cannot be read`)
  return known
}

/** This replica goes by what was just changed. */
export function forgetConnections({ db }: Pick<Deps, 'db'>, tenant: string): void {
  cacheOf(db).delete(tenant)
}

export async function enabledConnection(deps: Pick<Deps, 'db'>, tenant: string, connectionId: string): Promise<ConnectionRow> {
  const found = (await connectionsOf(deps, tenant)).all.find((row) => row.connection_id === connectionId)
  if (found === undefined) throw refuse(ErrorReason.CONNECTION_NOT_FOUND)
  return found
}

/** Of a canonical address. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase()
