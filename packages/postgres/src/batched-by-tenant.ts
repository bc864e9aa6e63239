import { type BatchedRead, type BatchOptions, batched } from './batched.ts'

/**
 * Like batched(), with one statement for each tenant of a batch: `tenant = $1 and id = any($2)` is read almost twice as fast as pairs.
 * `keyOf` names a key within its tenant, and `load` gives what it found by that name.
 */
export function batchedByTenant<K extends { readonly tenant: string }, V>(
  load: (tenant: string, keys: readonly K[]) => Promise<ReadonlyMap<string, V>>,
  options: BatchOptions<K>,
): BatchedRead<K, V> {
  const { keyOf } = options
  return batched(
    async (keys) => {
      const found = new Map<string, V>()
      const ofTenants = Map.groupBy(keys, ({ tenant }) => tenant)
      await Promise.all(
        [...ofTenants].map(async ([tenant, ofTenant]) => {
          for (const [name, value] of await load(tenant, ofTenant)) found.set(`${tenant} ${name}`, value)
        }),
      )
      return found
    },
    { ...options, keyOf: (key) => `${key.tenant} ${keyOf(key)}` },
  )
}
