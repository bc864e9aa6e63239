import { insertSeals, lastSeals, type NewSeal, type Seal, unsealedEntries } from '../../store/audit-seals.ts'
import type { Db } from '../deps.ts'
import { beginning, chainHash } from './chain.ts'

/** Entries that are sealed together. */
export const sealedAtOnce = 500

/**
 * Gives the next entries that wait their place in the chain of their tenant, while the lease is of this epoch; answers how many there were, and `fenced`
 * where it is not. What commits late is sealed when it is seen. Nothing is done at the insert: that would have sign-ins wait for each other.
 */
export async function sealEntries(db: Db, epoch: bigint): Promise<number | 'fenced'> {
  const entries = await unsealedEntries(db, sealedAtOnce)
  if (entries.length === 0) return 0
  const ends = new Map<string, Pick<Seal, 'position' | 'hash'>>()
  for (const { tenant, position, hash } of await lastSeals(db, [...new Set(entries.map((entry) => entry.tenant))]))
    ends.set(tenant, { position, hash })
  const seals = entries.map((entry): NewSeal => {
    const before = ends.get(entry.tenant) ?? { position: 0n, hash: beginning }
    const position = before.position + 1n
    const hash = chainHash(before.hash, position, entry)
    ends.set(entry.tenant, { position, hash })
    return { tenant: entry.tenant, position, entryId: entry.id, hash }
  })
  const sealed = await insertSeals(db, epoch, seals)
  return sealed === 0 ? 'fenced' : sealed
}
