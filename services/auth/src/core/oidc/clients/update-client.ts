import { isDeepStrictEqual } from 'node:util'
import type { ClientSettings } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { transact } from '@gatehouse/postgres'
import { commonRefusal } from '@gatehouse/rpc'
import { endSecretsBy } from '../../../store/oidc/client-secrets.ts'
import { type ClientContent, type ClientRow, changeClient } from '../../../store/oidc/clients.ts'
import type { Deps } from '../../deps.ts'
import { ensureRs256Key } from '../../keys/ensure-keys.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import { sectorOf } from '../people/pairwise-subject.ts'
import { lockedClient, tellClient, type WholeClient, withSecrets } from './client-change.ts'
import { contentOf, hasSecrets, isRegistered, registered } from './client-metadata.ts'
import { type ClientRules, validateClient } from './validate-client.ts'

export interface UpdateClientInput {
  readonly tenant: string
  readonly clientId: string
  readonly settings: ClientSettings
  readonly etag: string
}

/** The version in a form that nobody mistakes for a number to count with. */
export const clientEtag = ({ version }: Pick<ClientRow, 'version'>): string => `v${version.toString(36)}`

/** Replaces what a client is. What it is already changes nothing, whatever the etag: the answer of the first time got lost. */
export async function updateClient(
  deps: Pick<Deps, 'db' | 'now' | 'committed' | 'keys'>,
  { tenant, clientId, settings, etag }: UpdateClientInput,
  rules: ClientRules = {},
): Promise<WholeClient> {
  await validateClient(deps, tenant, settings, rules)
  const key = { tenant, clientId }
  const rs256 = settings.options?.rs256 ?? false
  const { client, changed } = await transact(deps.db, async (tx) => {
    const now = deps.now()
    if (rs256) await ensureRs256Key(tx, deps.keys, tenant, now)
    const before = await lockedClient(tx, key)
    // Whoever changes a client that came by itself does not make it one that did not.
    const content = isRegistered(before) ? registered(settings) : contentOf(settings)
    const fields = changedFields(before, content)
    if (fields.length === 0) return { client: await withSecrets(tx, before, now), changed: false }
    if (etag !== clientEtag(before)) throw commonRefusal(CommonReason.ETAG_MISMATCH)
    if (fields.includes('gatehouse_kind')) throw refuse(ErrorReason.CLIENT_METADATA_INVALID, { field: 'kind', problem: 'cannot change' })
    if (changesSubjects(before, content))
      throw refuse(ErrorReason.CLIENT_METADATA_INVALID, {
        field: 'options.pairwise',
        problem: 'cannot change, nor can the host: people would be others',
      })
    const row = await changeClient(tx, key, content, new Date(now))
    // One that comes back to secrets gets a new one.
    if (!hasSecrets(content)) await endSecretsBy(tx, key, new Date(now))
    await tellClient(tx, row, 'updated', { fields: fields.join(' ') })
    return { client: await withSecrets(tx, row, now), changed: true }
  })
  if (rs256) deps.keys.forget(tenant)
  if (changed) deps.committed()
  return client
}

/** Whether the client would know people by other ids than before. */
function changesSubjects({ metadata: before }: ClientContent, { metadata: after }: ClientContent): boolean {
  const sector = ({ subject_type: type, redirect_uris: uris }: ClientContent['metadata']) =>
    type === 'pairwise' ? sectorOf(uris as readonly string[]) : undefined
  return sector(before) !== sector(after)
}

/** Names of what differs: of the library's metadata each by itself. */
function changedFields({ metadata: a, ...before }: ClientContent, { metadata: b, ...after }: ClientContent): string[] {
  const ours = (Object.keys(after) as (keyof typeof after)[]).filter((name) => !isDeepStrictEqual(before[name], after[name]))
  const theirs = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => !isDeepStrictEqual(a[name], b[name]))
  return [...ours, ...theirs].sort()
}
