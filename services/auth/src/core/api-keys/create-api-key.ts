import { transact } from '@gatehouse/postgres'
import type { Deps } from '../deps.ts'
import { checkScopes, type Giver } from './check-scopes.ts'
import { type KeyDescription, type MadeApiKey, makeApiKey } from './make-api-key.ts'

/** Of a key whose maker says nothing else: 90 days. */
export const defaultLifetimeSeconds = 90 * 86_400

/** Makes a key of an account. Nobody gives what they do not hold. */
export async function createApiKey(
  deps: Pick<Deps, 'db' | 'batches' | 'now'>,
  input: { readonly giver: Giver; readonly key: KeyDescription },
): Promise<MadeApiKey> {
  await checkScopes(deps, input.giver, input.key.scopes)
  return await transact(deps.db, (tx) => makeApiKey(tx, input.key, deps.now()))
}
