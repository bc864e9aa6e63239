import { type AuditFilter, entriesAfter, type PlacedEntry } from '../../store/audit-entries.ts'
import { chainStart, lastSeals } from '../../store/audit-seals.ts'
import type { Deps } from '../deps.ts'

const pageSize = 500

/** The sealed entries of the tenant as NDJSON, some lines at a time, up to the last that was sealed when it began. */
export async function* exportEntries(
  { db }: Pick<Deps, 'db'>,
  { tenant, filter, signal }: { readonly tenant: string; readonly filter: AuditFilter; readonly signal?: AbortSignal },
): AsyncGenerator<string> {
  const [last] = await lastSeals(db, [tenant])
  const until = last?.position ?? 0n
  for (let after = await chainStart(db, tenant); after < until && !signal?.aborted; ) {
    const limit = Number(until - after < BigInt(pageSize) ? until - after : pageSize)
    const { entries, end } = await entriesAfter(db, { tenant, filter, after, limit })
    if (end === after) return
    after = end
    if (entries.length > 0) yield entries.map((entry) => `${JSON.stringify(lineOf(entry))}\n`).join('')
  }
}

/** An entry as its line says it; the hash is over the same values (docs/operations.md). */
function lineOf({ position, hash, time, details, ...entry }: PlacedEntry) {
  return {
    position: position === null ? null : String(position),
    ...entry,
    time: time.toISOString(),
    details,
    hash: hash === null ? null : Buffer.from(hash).toString('base64url'),
  }
}
