import type { Call } from '@gatehouse/rpc'
import type { Granter } from '../core/access/change-access.ts'

/** The person or service account who calls: the contract opens what changes who may do what, or takes a factor away, to nobody else. */
export function granterOf(call: Call): Granter {
  const { id, scopes } = call.person()
  return { id, scopes }
}
