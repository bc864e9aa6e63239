import { create } from '@bufbuild/protobuf'
import { ClientChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { type ClientSecretRow, listLivingSecrets } from '../../../store/oidc/client-secrets.ts'
import { type ClientKey, type ClientRow, lockClient } from '../../../store/oidc/clients.ts'
import { audit } from '../../audit/audit.ts'
import type { Db } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'

/** A client as it is, with its living secrets. */
export interface WholeClient {
  readonly row: ClientRow
  readonly secrets: readonly ClientSecretRow[]
}

/** What happens to clients: the word of the event, and that of the audit log. */
const kinds = {
  created: 'client_create',
  updated: 'client_update',
  secret_rotated: 'client_secret_rotate',
  secret_revoked: 'client_secret_revoke',
  disabled: 'client_disable',
  enabled: 'client_enable',
  deleted: 'client_delete',
} as const

/** Tells that a client is another than it was, in the transaction that made it so. */
export async function tellClient(
  tx: Db,
  { tenant, client_id: clientId, version }: ClientRow,
  change: keyof typeof kinds,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  const message = create(ClientChangedSchema, { clientId, version: BigInt(version), change })
  await addEvent(tx, { schema: ClientChangedSchema, message, tenant, version })
  await audit(tx, { tenant, kind: kinds[change], subjectId: clientId, details: { version: String(version), ...details } })
}

/** The client, held until the transaction ends. */
export async function lockedClient(tx: Db, key: ClientKey): Promise<ClientRow> {
  const row = await lockClient(tx, key)
  if (row === undefined) throw refuse(ErrorReason.CLIENT_NOT_FOUND)
  return row
}

export async function withSecrets(db: Db, row: ClientRow, now: number): Promise<WholeClient> {
  const which = { tenant: row.tenant, clientIds: [row.client_id], now: new Date(now) }
  return { row, secrets: await listLivingSecrets(db, which) }
}
