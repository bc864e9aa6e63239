import { transact } from '@gatehouse/postgres'
import { type ApiKeyRow, endApiKey, findApiKey } from '../../store/api-keys.ts'
import { lockServiceAccount } from '../../store/service-accounts.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { checkScopes, type Giver } from './check-scopes.ts'
import { type KeyLimit, type MadeApiKey, makeApiKey } from './make-api-key.ts'
import { tellKeyChange } from './tell-key-change.ts'

/** How long the old key goes on where nobody says else: a day. */
export const defaultOverlapSeconds = 86_400

export interface RotateApiKeyInput {
  readonly tenant: string
  readonly id: string
  readonly giver: Giver
  readonly overlapSeconds: number
  /** As long as the old key was made for, unless given. */
  readonly lifetimeSeconds?: number | undefined
}

/** Makes the successor of a key that is still good. The old one ends after the overlap, or by its own time where that is sooner. */
export async function rotateApiKey(
  deps: Pick<Deps, 'db' | 'batches' | 'now'>,
  input: RotateApiKeyInput,
): Promise<MadeApiKey & { readonly oldExpireTime: Date }> {
  const { tenant, id, giver, overlapSeconds } = input
  const found = await findApiKey(deps.db, input)
  if (!found) throw refuse(ErrorReason.API_KEY_NOT_FOUND)
  await checkScopes(deps, giver, found.scopes)
  return await transact(deps.db, async (tx) => {
    const now = deps.now()
    // Locked first as wherever keys are made: two that lock in opposite orders would wait for each other.
    await lockServiceAccount(tx, { tenant, id: found.account_id })
    const old = await endApiKey(tx, input, { now: new Date(now), expireTime: new Date(now + overlapSeconds * 1000) })
    if (!old) throw refuse(ErrorReason.API_KEY_NOT_FOUND)
    await tellKeyChange({ db: tx, now: deps.now }, { tenant, id })
    const lifetimeSeconds = input.lifetimeSeconds ?? Number(old.lifetime_seconds)
    const made = await makeApiKey(
      tx,
      { tenant, accountId: old.account_id, name: old.name, scopes: old.scopes, lifetimeSeconds, limit: limitOf(old) },
      now,
    )
    await audit(tx, { tenant, kind: 'api_key_rotate', subjectId: id, details: { account: old.account_id, successor: made.row.id } })
    return { ...made, oldExpireTime: old.expire_time }
  })
}

/** The limit of a key; undefined where nothing is counted. */
export function limitOf({ limit_count: count, limit_window_seconds: windowSeconds }: ApiKeyRow): KeyLimit | undefined {
  return count === null || windowSeconds === null ? undefined : { count, windowSeconds }
}
