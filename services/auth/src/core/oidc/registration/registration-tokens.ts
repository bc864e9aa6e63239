import { randomBytes } from 'node:crypto'
import { transact } from '@gatehouse/postgres'
import { addRecords } from '../../../store/oidc/records.ts'
import { deleteRegistrationToken } from '../../../store/oidc/registrations.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { recordHash } from '../records/record-hash.ts'

/** Lets a scanner of secrets, and a person, recognise one that got into a wrong place. */
const prefix = 'goi_'

export interface NewRegistrationToken {
  readonly tenant: string
  /** How many clients it is good for. */
  readonly clients: number
  readonly lifetimeSeconds: number
}

/** Makes what programs show to register themselves (RFC 7591). It is answered once: its hash is kept. */
export async function makeRegistrationToken(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant, clients, lifetimeSeconds }: NewRegistrationToken,
): Promise<{ readonly token: string; readonly expireTime: Date }> {
  const token = prefix + randomBytes(32).toString('base64url')
  const now = new Date(deps.now())
  const expireTime = new Date(now.getTime() + lifetimeSeconds * 1000)
  const payload = { kind: 'InitialAccessToken', iat: secondsOf(now), exp: secondsOf(expireTime), left: clients }
  const record = {
    tenant,
    id_hash: recordHash(token),
    kind: 'InitialAccessToken' as const,
    client_id: null,
    grant_id: null,
    session_id: null,
    user_code_hash: null,
    payload: JSON.stringify(payload),
    create_time: now,
    expire_time: expireTime,
  }
  await transact(deps.db, async (tx) => {
    await addRecords(tx, [{ record }])
    const details = { clients: String(clients), expire_time: expireTime.toISOString() }
    await audit(tx, { tenant, kind: 'registration_token_make', subjectId: nameOf(token), details })
  })
  return { token, expireTime }
}

/** Nobody registers with it any more; whether there was one. The clients that did stay. */
export async function endRegistrationToken(deps: Pick<Deps, 'db'>, { tenant, token }: { tenant: string; token: string }): Promise<boolean> {
  return await transact(deps.db, async (tx) => {
    const ended = await deleteRegistrationToken(tx, { tenant, hash: recordHash(token) })
    if (ended) await audit(tx, { tenant, kind: 'registration_token_end', subjectId: nameOf(token) })
    return ended
  })
}

/** What the audit log calls it by: too little of the hash to find anything with. */
export function nameOf(token: string): string {
  return Buffer.from(recordHash(token)).toString('hex').slice(0, 12)
}

function secondsOf(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
