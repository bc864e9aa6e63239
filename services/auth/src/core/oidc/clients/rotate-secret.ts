import { transact } from '@gatehouse/postgres'
import { type ClientSecretRow, endSecret, endSecretsBy, listLivingSecrets } from '../../../store/oidc/client-secrets.ts'
import { type ClientKey, changeClient } from '../../../store/oidc/clients.ts'
import type { Deps } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import { lockedClient, tellClient } from './client-change.ts'
import { hasSecrets } from './client-metadata.ts'
import { addSecret } from './create-client.ts'

/** Two, so that every place of the client's can get the new one before the old one ends. */
export const maxLivingSecrets = 2

/** How long the others go on where nobody says else: a day. */
export const defaultOverlapSeconds = 86_400

/** Makes another secret, which is answered once. */
export async function rotateSecret(
  deps: Pick<Deps, 'db' | 'now' | 'committed'>,
  { tenant, clientId, overlapSeconds }: ClientKey & { readonly overlapSeconds: number },
): Promise<{ row: ClientSecretRow; secret: string; oldExpireTime: Date }> {
  const key = { tenant, clientId }
  const made = await transact(deps.db, async (tx) => {
    const now = deps.now()
    const client = await lockedClient(tx, key)
    if (!hasSecrets(client)) throw refuse(ErrorReason.CLIENT_HAS_NO_SECRET)
    const oldExpireTime = new Date(now + overlapSeconds * 1000)
    await endSecretsBy(tx, key, oldExpireTime)
    const living = await listLivingSecrets(tx, { tenant, clientIds: [clientId], now: new Date(now) })
    if (living.length >= maxLivingSecrets) throw refuse(ErrorReason.CLIENT_SECRETS_EXHAUSTED, { max: String(maxLivingSecrets) })
    const { row, text } = await addSecret(tx, key, now)
    const changed = await changeClient(tx, key, {}, new Date(now))
    await tellClient(tx, changed, 'secret_rotated', { secret: row.id })
    return { row, secret: text, oldExpireTime: living[0]?.expire_time ?? oldExpireTime }
  })
  deps.committed()
  return made
}

/** Ends a secret at once. */
export async function revokeSecret(
  deps: Pick<Deps, 'db' | 'now' | 'committed'>,
  { tenant, clientId, secretId }: ClientKey & { readonly secretId: string },
): Promise<void> {
  const key = { tenant, clientId }
  await transact(deps.db, async (tx) => {
    const now = new Date(deps.now())
    await lockedClient(tx, key)
    if (!(await endSecret(tx, { ...key, id: secretId, now }))) throw refuse(ErrorReason.CLIENT_SECRET_NOT_FOUND)
    await tellClient(tx, await changeClient(tx, key, {}, now), 'secret_revoked', { secret: secretId })
  })
  deps.committed()
}
