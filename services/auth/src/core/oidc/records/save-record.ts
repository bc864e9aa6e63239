import { validate as isUuid } from 'uuid'
import type { NewAuditEntry } from '../../../store/audit-entries.ts'
import { type NewRecord, putRecord } from '../../../store/oidc/records.ts'
import { approveDeviceCode } from '../../../store/oidc/single-use.ts'
import { thePerson } from '../../audit/actor.ts'
import { auditEntry } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import type { Payload, RecordKind } from '../oidc-parts.ts'
import { keyOfRecord, userCodeHash } from './record-hash.ts'
import { toStored } from './stored-payload.ts'

export interface RecordToSave {
  readonly tenant: string
  readonly kind: RecordKind
  readonly id: string
  readonly payload: Payload
  readonly ttlSeconds: number
}

/** Keeps what the library has to say; `taken` where another approver of the same device code was faster. */
export async function saveRecord(
  deps: Pick<Deps, 'db' | 'batches' | 'now' | 'challengeKeys'>,
  saved: RecordToSave,
): Promise<'saved' | 'taken'> {
  const { tenant, kind, id, payload, ttlSeconds } = saved
  const now = new Date(deps.now())
  const userCode = wordIn(payload, 'userCode')
  const record: NewRecord = {
    tenant,
    id_hash: keyOfRecord(deps, tenant, id),
    kind,
    client_id: wordIn(payload, 'clientId') ?? null,
    // An interaction names the grant that there was when it began: it goes on without.
    grant_id: (kind !== 'Interaction' && uuidIn(payload, 'grantId')) || null,
    session_id: (payload.expiresWithSession === true && uuidIn(payload, 'sessionUid')) || null,
    user_code_hash: kind === 'DeviceCode' && userCode !== undefined ? userCodeHash(deps.challengeKeys.current, tenant, userCode) : null,
    payload: toStored(deps, saved, payload),
    create_time: now,
    expire_time: new Date(now.getTime() + ttlSeconds * 1000),
  }
  if (kind === 'Interaction' || kind === 'Session') await putRecord(deps.db, record)
  else if (kind === 'DeviceCode' && stepOf(payload) !== 0)
    return (await approveDeviceCode(deps.db, record, { to: stepOf(payload) as 1 | 2, now })) ? 'saved' : 'taken'
  else await deps.batches.oidcRecord({ record, ...(kind === 'AuthorizationCode' && entryOf(tenant, payload)) })
  return 'saved'
}

/** How far a device code is: 0 open, 1 somebody is at it, 2 decided. */
function stepOf({ accountId, error, inFlight }: Payload): 0 | 1 | 2 {
  if (accountId !== undefined || error !== undefined) return 2
  return inFlight === true ? 1 : 0
}

/** A code is a sign-in at the client, whether or not it comes to tokens. */
function entryOf(tenant: string, payload: Payload): { entry: NewAuditEntry } {
  const userId = wordIn(payload, 'accountId') ?? ''
  const entry = auditEntry({
    tenant,
    kind: 'client_sign_in',
    actor: thePerson(userId),
    subjectId: userId,
    sessionId: uuidIn(payload, 'sessionUid') ?? '',
    details: { client: wordIn(payload, 'clientId') ?? '', grant: uuidIn(payload, 'grantId') ?? '' },
  })
  return { entry }
}

function wordIn(payload: Payload, name: string): string | undefined {
  const value = payload[name]
  return typeof value === 'string' ? value : undefined
}

function uuidIn(payload: Payload, name: string): string | undefined {
  const value = wordIn(payload, name)
  return value !== undefined && isUuid(value) ? value : undefined
}
