import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import {
  type AuditEntry,
  AuditEntrySchema,
  type AuditFilter as AuditFilterMessage,
  AuditResult,
} from '@gatehouse/contracts/gatehouse/auth/v1/audit_pb'
import { AuditProblem, type VerifyAuditResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/audit_service_pb'
import type { AuditFilter, PlacedEntry } from '../core/audit/list-entries.ts'
import type { RangeVerified } from '../core/audit/verify-range.ts'

const results = new Map<AuditResult, 'done' | 'refused'>([
  [AuditResult.DONE, 'done'],
  [AuditResult.REFUSED, 'refused'],
])

export function toFilter(filter: AuditFilterMessage | undefined): AuditFilter {
  const result = filter && results.get(filter.result)
  return {
    actorId: filter?.actorId ?? '',
    subjectId: filter?.subjectId ?? '',
    kinds: filter?.kinds ?? [],
    sessionId: filter?.sessionId ?? '',
    traceId: filter?.traceId ?? '',
    ...(result && { result }),
    ...(filter?.fromTime && { from: timestampDate(filter.fromTime) }),
    ...(filter?.untilTime && { until: timestampDate(filter.untilTime) }),
  }
}

export function toEntry(row: PlacedEntry): AuditEntry {
  return create(AuditEntrySchema, {
    id: row.id,
    position: row.position ?? 0n,
    time: timestampFromDate(row.time),
    kind: row.kind,
    result: row.result === 'done' ? AuditResult.DONE : AuditResult.REFUSED,
    reason: row.reason,
    actor: { kind: row.actor_kind, id: row.actor_id },
    subjectId: row.subject_id,
    sessionId: row.session_id,
    network: row.network,
    traceId: row.trace_id,
    details: { ...row.details },
    hash: row.hash ?? new Uint8Array(),
  } satisfies MessageInitShape<typeof AuditEntrySchema>)
}

export function toVerified({ firstBreak, ...verified }: RangeVerified): MessageInitShape<typeof VerifyAuditResponseSchema> {
  if (firstBreak === undefined) return verified
  const { position, entryId = '', problem, sentence: message } = firstBreak
  return { ...verified, firstBreak: { position, entryId, problem: AuditProblem[problem], message } }
}
