import type { ClientSettings } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { transact } from '@gatehouse/postgres'
import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import { insertClientSecret } from '../../../store/oidc/client-secrets.ts'
import { type ClientContent, type ClientKey, insertClient } from '../../../store/oidc/clients.ts'
import type { Db, Deps } from '../../deps.ts'
import { ensureRs256Key } from '../../keys/ensure-keys.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import { tellClient, type WholeClient, withSecrets } from './client-change.ts'
import { asksForRs256, contentOf, hasSecrets } from './client-metadata.ts'
import { newClientSecret } from './client-secret.ts'
import { type ClientRules, validateClient } from './validate-client.ts'

export interface CreateClientInput {
  readonly tenant: string
  /** One is made where it is empty. */
  readonly clientId: string
  readonly settings: ClientSettings
}

/** Makes a client. Its secret is answered once, and empty where it has none. */
export async function createClient(
  deps: Pick<Deps, 'db' | 'now' | 'committed' | 'keys'>,
  { tenant, clientId, settings }: CreateClientInput,
  rules: ClientRules = {},
): Promise<{ client: WholeClient; secret: string }> {
  // Tokens of programs have the client's id where those of people have theirs (RFC 9068 section 5).
  if (isUuid(clientId)) throw refuse(ErrorReason.CLIENT_METADATA_INVALID, { field: 'client_id', problem: 'could be the id of a person' })
  await validateClient(deps, tenant, settings, rules)
  const key = { tenant, clientId: clientId || uuidv7() }
  const content = contentOf(settings)
  const made = await transact(deps.db, (tx) => addClient(tx, deps.keys, key, content, { now: deps.now() }))
  if (asksForRs256(content)) deps.keys.forget(tenant)
  deps.committed()
  return made
}

/** Adds a client in the caller's transaction, with the secret that it needs and the keys that sign for it; `details` go into the audit log. */
export async function addClient(
  tx: Db,
  keys: Deps['keys'],
  key: ClientKey,
  content: ClientContent,
  { now, details = {} }: { readonly now: number; readonly details?: Readonly<Record<string, string>> },
): Promise<{ client: WholeClient; secret: string }> {
  if (asksForRs256(content)) await ensureRs256Key(tx, keys, key.tenant, now)
  const row = await insertClient(tx, key, content, new Date(now))
  if (row === undefined) throw refuse(ErrorReason.CLIENT_EXISTS)
  const secret = hasSecrets(content) ? await addSecret(tx, key, now) : undefined
  await tellClient(tx, row, 'created', { first_party: String(row.first_party), ...details })
  return { client: await withSecrets(tx, row, now), secret: secret?.text ?? '' }
}

/** Makes a secret in the caller's transaction; the text of it is kept nowhere. */
export async function addSecret(tx: Db, { tenant, clientId }: ClientKey, now: number) {
  const { secret: text, hash, hint } = newClientSecret()
  const row = await insertClientSecret(tx, {
    tenant,
    client_id: clientId,
    id: uuidv7(),
    secret_hash: hash,
    hint,
    create_time: new Date(now),
    expire_time: null,
  })
  return { text, row }
}
