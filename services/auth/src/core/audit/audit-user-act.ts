import type { Envelope } from '@gatehouse/events'
import type { Db } from '../../store/schema.ts'
import { actorNamed } from './actor.ts'
import { audit } from './audit.ts'

/** What somebody did to a person in the user service, as its event tells it. The trace is that of the call that did it. */
export async function auditUserAct(
  tx: Db,
  { tenant, id, version }: Envelope,
  act: { readonly kind: string; readonly userId: string; readonly actor: string; readonly details?: Record<string, string> },
): Promise<void> {
  await audit(tx, {
    tenant,
    kind: act.kind,
    actor: actorNamed(act.actor, 'user'),
    subjectId: act.userId,
    details: { event: id, version: String(version), ...act.details },
  })
}
