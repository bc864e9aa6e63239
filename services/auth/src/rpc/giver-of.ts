import type { Call } from '@gatehouse/rpc'
import type { Giver } from '../core/api-keys/check-scopes.ts'

/** Whoever calls, as somebody who gives what they hold. */
export function giverOf(call: Call): Giver {
  const { tenant, id, apiKey } = call.person()
  return { tenant, id, scopes: apiKey?.scopes }
}
