import type { DescMethod } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import { type Call, currentCall, type Refusal } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'
import { coarseNetwork } from '../sessions/seen-from.ts'
import { auditEntry } from './audit.ts'
import { RefusalTally } from './refusal-tally.ts'

interface Note {
  readonly subjectId: string
  readonly details: Readonly<Record<string, string>>
}

const notes = new WeakMap<Call, Note>()

/** Notes whom the call that runs is about, should it be refused: the caller is told nothing of it, and whoever reads the entry is. */
export function concerning(subjectId: string, details: Readonly<Record<string, string>> = {}): void {
  const call = currentCall()
  if (call !== undefined) notes.set(call, { subjectId, details })
}

/** Acts that several RPCs are steps of, or that are named otherwise than their RPC. */
const kinds: Readonly<Record<string, string>> = {
  ContinueSignIn: 'sign_in',
  BeginEmailSignIn: 'email_sign_in_request',
  CompleteEmailSignIn: 'sign_in',
  CompleteTotpEnrolment: 'sign_in',
  CompletePasskeyEnrolment: 'sign_in',
  UpdatePolicy: 'policy_change',
  BeginStepUp: 'step_up',
  CompleteStepUp: 'step_up',
  RefreshSession: 'session_refresh',
  ForgetTrustedDevices: 'devices_forget',
  RevokeSession: 'session_end',
  RevokeOtherSessions: 'session_end',
  RevokeSessionsOfUser: 'session_end',
  RemoveFactorsOfUser: 'factor_remove',
  ChangePassword: 'password_change',
  ResetPassword: 'password_reset',
  RequestPasswordReset: 'password_reset_request',
  ConfirmEmailChange: 'email_change',
  RequestEmailChange: 'email_change_request',
}

/** `ConfirmTotp` -> `confirm_totp`. */
const snake = (name: string): string => name.replaceAll(/(?<=.)[A-Z]/g, '_$&').toLowerCase()

const codes: ReadonlySet<Code> = new Set([Code.Unauthenticated, Code.PermissionDenied, Code.ResourceExhausted])
/** A wrong code of a mail is an invalid argument, and a try all the same. */
const others: ReadonlySet<string> = new Set(['CHALLENGE_INVALID'])
const ofDoor: ReadonlySet<string> = new Set(['PERMISSION_DENIED', 'LIMIT_EXCEEDED', 'STEP_UP_REQUIRED'])

/** Whether a refusal says that somebody tried what they may not, or could not show who they are. */
function isTelling({ reason, domain, code }: Refusal): boolean {
  return domain === 'gatehouse' ? ofDoor.has(reason) : codes.has(code) || others.has(reason)
}

/**
 * Writes refused calls down before they are answered, joined with those of the same turn: nobody learns whether a guess was right unless it is on record.
 * What costs a caller nothing to repeat is written once a minute for each RPC, reason and caller, with how many came since.
 */
export function auditRefusals(deps: Pick<Deps, 'batches' | 'now'>) {
  const tally = new RefusalTally(deps.now)
  return (call: Call, method: DescMethod, refusal: Refusal): Promise<void> | undefined => {
    const tenant = tenantOf(call)
    if (tenant === undefined || !isTelling(refusal)) return undefined
    const note = notes.get(call)
    const isFree = refusal.domain === 'gatehouse' || (note === undefined && refusal.reason === 'REFRESH_TOKEN_INVALID')
    const { person, workload } = call.caller
    const by = person?.id ?? workload ?? coarseNetwork(call.source)
    const since = isFree ? tally.count(`${tenant} ${method.name} ${refusal.reason} ${by}`) : 0
    if (since === undefined) return undefined
    const entry = auditEntry(
      {
        tenant,
        kind: kinds[method.name] ?? snake(method.name),
        result: 'refused',
        reason: refusal.reason,
        subjectId: note?.subjectId ?? person?.id ?? '',
        details: { ...note?.details, ...permissionOf(refusal), ...(since > 0 && { since_last: String(since) }) },
      },
      call,
    )
    return deps.batches.refused(entry)
  }
}

function permissionOf({ metadata: { permission } }: Refusal): { permission?: string } {
  return permission === undefined ? {} : { permission }
}

/** A workload alone that named none is refused for that. */
function tenantOf(call: Call): string | undefined {
  try {
    return call.tenant
  } catch {
    return undefined
  }
}
