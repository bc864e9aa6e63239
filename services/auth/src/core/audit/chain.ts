import { createHash } from 'node:crypto'
import type { AuditEntryRow } from '../../store/audit-entries.ts'

/** What the first entry of a chain follows. */
export const beginning = Buffer.alloc(32)

/** What an entry is, in one way for whoever computes it: a JSON array in UTF-8, details in the order of their names. */
export function canonicalEntry(position: bigint, entry: AuditEntryRow): Buffer {
  const details = Object.entries(entry.details).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(
    JSON.stringify([
      entry.tenant,
      String(position),
      entry.id,
      entry.time.toISOString(),
      entry.kind,
      entry.result,
      entry.reason,
      entry.actor_kind,
      entry.actor_id,
      entry.subject_id,
      entry.session_id,
      entry.network,
      entry.trace_id,
      details,
    ]),
  )
}

/** SHA-256 over the hash before and the entry. */
export function chainHash(before: Uint8Array, position: bigint, entry: AuditEntryRow): Buffer {
  return createHash('sha256').update(before).update(canonicalEntry(position, entry)).digest()
}
