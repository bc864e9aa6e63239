import { administratorRole } from '@gatehouse/identity'
import type { Refusal } from '@gatehouse/rpc'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { connectionsOf, domainOf } from './known-connections.ts'

/** By which people of this address have to come, where there is such a connection: by the address alone, whether anybody has it or not. */
export async function requiredConnection(deps: Pick<Deps, 'db'>, tenant: string, email: string): Promise<ConnectionRow | undefined> {
  const found = (await connectionsOf(deps, tenant)).byDomain.get(domainOf(email))
  return found?.enforce === true ? found : undefined
}

export function connectionRequired({ connection_id: connection }: Pick<ConnectionRow, 'connection_id'>): Refusal {
  return refuse(ErrorReason.CONNECTION_REQUIRED, { connection })
}

/** Refuses another way in than that connection. */
export async function requireNone(deps: Pick<Deps, 'db'>, tenant: string, email: string, by?: string): Promise<void> {
  const required = await requiredConnection(deps, tenant, email)
  if (required !== undefined && required.connection_id !== by) throw connectionRequired(required)
}

/** The same for a passkey, which breaks the glass for an administrator on the day on which the provider is away. */
export async function requireNoneForPasskey(deps: Pick<Deps, 'db' | 'batches'>, person: { tenant: string; id: string; email: string }) {
  const required = await requiredConnection(deps, person.tenant, person.email)
  if (required === undefined) return
  const roles = await deps.batches.roles({ tenant: person.tenant, id: person.id })
  if (roles?.includes(administratorRole) !== true) throw connectionRequired(required)
}
