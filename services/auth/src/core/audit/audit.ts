import { type Call, currentCall } from '@gatehouse/rpc'
import { context, trace } from '@opentelemetry/api'
import { v7 as uuidv7 } from 'uuid'
import { addAuditEntries, type NewAuditEntry } from '../../store/audit-entries.ts'
import type { AuditResult } from '../../store/audit-tables.ts'
import type { Db } from '../../store/schema.ts'
import { coarseNetwork } from '../sessions/seen-from.ts'
import { type Actor, currentActor } from './actor.ts'

/** Something that was done. Who did it, from where and in which request is that of the call that runs, unless it is said. */
export interface Act {
  readonly tenant: string
  /** Such as `sign_in`; a new one gets its word in `audit.proto`. */
  readonly kind: string
  /** Whom or what it was done to. */
  readonly subjectId?: string
  /** Opened, raised or ended by it; else the session of the caller. */
  readonly sessionId?: string
  /** Ids, counts and causes; no name, no address, no secret. */
  readonly details?: Readonly<Record<string, string>>
  readonly actor?: Actor
  readonly result?: AuditResult
  /** Of a refusal. */
  readonly reason?: string
}

/** Writes entries in the transaction of what they tell. A new act costs this one line. */
export async function audit(tx: Db, ...acts: readonly Act[]): Promise<void> {
  if (!tx.isTransaction) throw new TypeError('an entry is written in the transaction of its act')
  await addAuditEntries(
    tx,
    acts.map((act) => auditEntry(act)),
  )
}

/** The entry of an act, with what is known of the call that runs now: for a statement that writes act and entry together. */
export function auditEntry(act: Act, call: Call | undefined = currentCall()): NewAuditEntry {
  const actor = act.actor ?? currentActor(call)
  const ofCaller = call?.caller.person?.sessionId ?? ''
  const sessionId = act.sessionId ?? ofCaller
  const bySession = ofCaller === '' || ofCaller === sessionId ? {} : { by_session: ofCaller }
  return {
    tenant: act.tenant,
    id: uuidv7(),
    kind: act.kind,
    result: act.result ?? 'done',
    reason: act.reason ?? '',
    actor_kind: actor.kind,
    actor_id: actor.id,
    subject_id: act.subjectId ?? '',
    session_id: sessionId,
    network: call === undefined ? '' : coarseNetwork(call.source),
    trace_id: call?.traceId ?? trace.getSpanContext(context.active())?.traceId ?? '',
    details: JSON.stringify({ ...act.details, ...bySession }),
  }
}
