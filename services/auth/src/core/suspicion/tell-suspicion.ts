import { create } from '@bufbuild/protobuf'
import { SuspiciousActivitySchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { currentCall } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import { insertChallenge } from '../../store/challenges.ts'
import { insertSuspicion, markTold } from '../../store/suspicions.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { coarseNetwork, tidyUserAgent } from '../sessions/seen-from.ts'
import { quietSecondsOf, type SuspicionName, suspicionKinds, tellingOf } from './suspicion-kinds.ts'
import { countTold } from './suspicion-metrics.ts'

export interface NewSuspicion {
  readonly tenant: string
  /** What it was; those of one telling only. */
  readonly kinds: readonly [SuspicionName, ...SuspicionName[]]
  /** Whose account, where somebody has it. */
  readonly userId?: string
  /** What it is told by in place of the person. */
  readonly subject?: string
  /** Opened or ended by it. */
  readonly sessionId?: string
  /** Whether the person is asked by mail if it was them. */
  readonly mail: boolean
  /** Where it came from, where that is not where the call comes from. */
  readonly seen?: { readonly user_agent: string; readonly network: string }
}

/**
 * Tells suspicious activity within the caller's transaction: event, entry of the audit log and, where the person is asked, the challenge of the mail. The same of one person or
 * source is told once in its time, over all replicas; `false` where it was. For an address that nobody has the same is written: whoever compares times learns nothing.
 */
export async function tellSuspicion(tx: Db, deps: Pick<Deps, 'now'>, suspicion: NewSuspicion): Promise<boolean> {
  const { tenant, kinds, userId = '', sessionId = '', mail } = suspicion
  const now = new Date(deps.now())
  const kind = tellingOf(kinds[0])
  const untilTime = new Date(now.getTime() + quietSecondsOf(kind) * 1000)
  if (!(await markTold(tx, { tenant, subject: suspicion.subject ?? userId, kind, now, untilTime }))) return false

  const activityId = uuidv7()
  if (mail) await openLockDown(tx, { ...suspicion, id: activityId, time: now })
  const message = create(SuspiciousActivitySchema, {
    activityId,
    version: 1n,
    kinds: kinds.map((name) => suspicionKinds[name]),
    userId,
    sessionId,
    challengeId: mail ? activityId : '',
  })
  await addEvent(tx, { schema: SuspiciousActivitySchema, message, tenant, version: 1 })
  await audit(tx, {
    tenant,
    kind: 'suspicious_activity',
    subjectId: userId,
    ...(sessionId !== '' && { sessionId }),
    details: { kinds: kinds.join(' '), activity: activityId },
  })
  for (const name of kinds) countTold(name)
  return true
}

/** The challenge of the mail: its secret locks the account down. To whom it goes, and whether, is decided when it is rendered. */
async function openLockDown(tx: Db, suspicion: NewSuspicion & { id: string; time: Date }): Promise<void> {
  const { tenant, id, kinds, userId, time } = suspicion
  const call = currentCall()
  const { user_agent, network } = suspicion.seen ?? {
    user_agent: tidyUserAgent(call?.header('user-agent') ?? ''),
    network: coarseNetwork(call?.source ?? ''),
  }
  await insertChallenge(tx, {
    tenant,
    id,
    kind: 'lock_down',
    address: null,
    address_key: null,
    user_id: userId ?? null,
    previous_address: null,
    mail_count: 1,
    create_time: time,
    request_time: time,
    end_time: null,
  })
  await insertSuspicion(tx, { tenant, challenge_id: id, kinds: [...kinds], user_agent, network, happen_time: time })
}
