import { createApiKey as newKey } from '@gatehouse/identity'
import { v7 as uuidv7 } from 'uuid'
import { type ApiKeyRow, countLivingKeys, insertApiKey } from '../../store/api-keys.ts'
import { lockServiceAccount } from '../../store/service-accounts.ts'
import { audit } from '../audit/audit.ts'
import type { Db } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** How many keys of one account live at once. */
export const maxLivingKeys = 20

/** How often a key may call. */
export interface KeyLimit {
  readonly count: number
  readonly windowSeconds: number
}

export interface KeyDescription {
  readonly tenant: string
  readonly accountId: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
  readonly limit: KeyLimit | undefined
}

/** A key with its row. */
export interface MadeApiKey {
  readonly row: ApiKeyRow
  /** To be shown once. */
  readonly key: string
}

/** Makes a key in the caller's transaction; the text of it is kept nowhere. */
export async function makeApiKey(tx: Db, description: KeyDescription, now: number): Promise<MadeApiKey> {
  const { tenant, accountId, name, scopes, lifetimeSeconds, limit } = description
  const account = { tenant, id: accountId }
  const time = new Date(now)
  if (!(await lockServiceAccount(tx, account))) throw refuse(ErrorReason.SERVICE_ACCOUNT_NOT_FOUND)
  if ((await countLivingKeys(tx, account, time)) >= maxLivingKeys)
    throw refuse(ErrorReason.API_KEYS_EXHAUSTED, { max: String(maxLivingKeys) })
  const id = uuidv7()
  const { key, hash } = newKey(id)
  const row = await insertApiKey(tx, {
    tenant,
    id,
    account_id: accountId,
    name,
    key_hash: hash,
    scopes: [...scopes],
    limit_count: limit?.count ?? null,
    limit_window_seconds: limit?.windowSeconds ?? null,
    create_time: time,
    lifetime_seconds: lifetimeSeconds,
    expire_time: new Date(now + lifetimeSeconds * 1000),
  })
  await audit(tx, { tenant, kind: 'api_key_create', subjectId: id, details: { account: accountId } })
  return { row, key }
}
