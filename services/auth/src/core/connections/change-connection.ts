import { isDeepStrictEqual } from 'node:util'
import { create } from '@bufbuild/protobuf'
import type { ConnectionSettings } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { ConnectionChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { commonRefusal } from '@gatehouse/rpc'
import {
  type ConnectionKey,
  type ConnectionRow,
  changeConnection,
  countConnections,
  deleteConnectionRow,
  insertConnection,
  listDeletedConnections,
  lockConnection,
  putDomains,
} from '../../store/connections/connections.ts'
import { deleteIdentitiesAt } from '../../store/connections/linked-identities.ts'
import { changing, type Granter } from '../access/change-access.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { connectionEtag, contentOf } from './connection-content.ts'
import { openSecret, sealSecret } from './connection-secret.ts'
import { forgetConnections, mostConnections } from './known-connections.ts'
import { assertMayMap, checkMapping, invalid, issuerOf } from './validate-connection.ts'

type Changing = Pick<Deps, 'db' | 'keys' | 'now' | 'committed'>

/** What happens to connections: the word of the event, and that of the audit log. */
const kinds = {
  created: 'connection_create',
  updated: 'connection_update',
  disabled: 'connection_disable',
  enabled: 'connection_enable',
  deleted: 'connection_delete',
} as const

export interface CreateConnectionInput extends ConnectionKey {
  readonly kind: ConnectionRow['kind']
  readonly issuer: string
  readonly settings: ConnectionSettings
  readonly secret: string
  readonly granter: Granter
}

export async function createConnection(deps: Changing, input: CreateConnectionInput): Promise<ConnectionRow> {
  const { tenant, kind, granter } = input
  const content = contentOf(input.settings)
  const issuer = issuerOf(kind, input.issuer)
  checkMapping(content)
  if (kind === 'github' && input.secret === '') throw invalid('client_secret', 'is needed by GitHub')
  const secret = input.secret === '' ? null : sealSecret(deps, input, input.secret)
  return await changed(deps, tenant, async (tx) => {
    const now = deps.now()
    await assertMayMap(await changing(tx, tenant), granter, content, now)
    if ((await countConnections(tx, tenant)) >= mostConnections) throw invalid('connection_id', `would be one more than ${mostConnections}`)
    if (!(await insertConnection(tx, { ...input, kind, issuer }, { ...content, secret }, new Date(now))))
      throw refuse(ErrorReason.CONNECTION_EXISTS)
    await takeDomains(tx, input, content.domains)
    return await told(tx, input, 'created', { kind })
  })
}

export interface UpdateConnectionInput extends ConnectionKey {
  readonly settings: ConnectionSettings
  /** The one that is there stays where it is empty. */
  readonly secret: string
  readonly etag: string
  readonly granter: Granter
}

/** Replaces what a connection is. What it is already changes nothing, whatever the etag: the answer of the first time got lost. */
export async function updateConnection(deps: Changing, input: UpdateConnectionInput): Promise<ConnectionRow> {
  const { tenant, granter } = input
  const content = contentOf(input.settings)
  checkMapping(content)
  return await changed(deps, tenant, async (tx) => {
    const now = deps.now()
    const change = await changing(tx, tenant)
    const before = await locked(tx, input)
    const fields = (Object.keys(content) as (keyof typeof content)[]).filter((name) => !isDeepStrictEqual(before[name], content[name]))
    const hasNewSecret = input.secret !== '' && input.secret !== secretIn(deps, before)
    if (fields.length === 0 && !hasNewSecret) return before
    if (input.etag !== connectionEtag(before)) throw commonRefusal(CommonReason.ETAG_MISMATCH)
    if (fields.includes('mapping')) await assertMayMap(change, granter, content, now)
    const { domains, ...rest } = content
    await changeConnection(tx, input, { ...rest, ...(hasNewSecret && { secret: sealSecret(deps, input, input.secret) }) }, new Date(now))
    if (fields.includes('domains')) await takeDomains(tx, input, domains)
    return await told(tx, input, 'updated', { fields: [...fields, ...(hasNewSecret ? ['secret'] : [])].sort().join(' ') })
  })
}

/** A secret that does not open any more is replaced like any other. */
function secretIn(deps: Changing, row: ConnectionRow): string | undefined {
  try {
    return openSecret(deps, row)
  } catch {
    return undefined
  }
}

/** Lets nobody in by it, or lets it come back. One that is so already stays so from when it was. */
export async function disableConnection(deps: Changing, key: ConnectionKey, disabled: boolean): Promise<ConnectionRow> {
  return await changed(deps, key.tenant, async (tx) => {
    const before = await locked(tx, key)
    if ((before.disable_time !== null) === disabled) return before
    const now = new Date(deps.now())
    await changeConnection(tx, key, { disable_time: disabled ? now : null }, now)
    return await told(tx, key, disabled ? 'disabled' : 'enabled')
  })
}

/** Links that go in one transaction: a connection may have a million. */
const piece = 500

/** Removes a connection, and then the links that people have by it, piece by piece; whatever is left when that is broken off, clean-up removes. */
export async function deleteConnection(deps: Changing, key: ConnectionKey): Promise<void> {
  await changed(deps, key.tenant, async (tx) => {
    const before = await lockConnection(tx, key)
    if (before === undefined || before.delete_time !== null) return
    const now = new Date(deps.now())
    await putDomains(tx, key, [])
    await changeConnection(tx, key, { secret: null, enforce: false, delete_time: now }, now)
    await told(tx, key, 'deleted')
  })
  await finishDeletion(deps, key)
}

/** Of one that is deleted; another is left alone. */
export async function finishDeletion({ db }: Pick<Deps, 'db'>, key: ConnectionKey): Promise<void> {
  for (;;) {
    const left = await transact(db, async (tx) => {
      const row = await lockConnection(tx, key)
      if (row === undefined || row.delete_time === null) return 0
      const deleted = await deleteIdentitiesAt(tx, { ...key, limit: piece })
      if (deleted < piece) await deleteConnectionRow(tx, key)
      return deleted
    })
    if (left < piece) return
  }
}

/** Of every connection whose deletion was broken off. */
export async function finishDeletions(deps: Pick<Deps, 'db'>, signal?: AbortSignal): Promise<void> {
  for (const key of await listDeletedConnections(deps.db, 100)) if (!signal?.aborted) await finishDeletion(deps, key)
}

async function locked(tx: Db, key: ConnectionKey): Promise<ConnectionRow> {
  const row = await lockConnection(tx, key)
  if (row === undefined || row.delete_time !== null) throw refuse(ErrorReason.CONNECTION_NOT_FOUND)
  return row
}

async function takeDomains(tx: Db, key: ConnectionKey, domains: readonly string[]): Promise<void> {
  const [taken] = await putDomains(tx, key, domains)
  if (taken !== undefined) throw invalid('domains', `has ${taken}, which belongs to another connection`)
}

async function changed<T>(deps: Changing, tenant: string, act: (tx: Db) => Promise<T>): Promise<T> {
  const result = await transact(deps.db, act)
  forgetConnections(deps, tenant)
  deps.committed()
  return result
}

/** Tells that a connection is another than it was, in the transaction that made it so. */
async function told(tx: Db, key: ConnectionKey, change: keyof typeof kinds, details: Readonly<Record<string, string>> = {}) {
  const row = await lockConnection(tx, key)
  if (row === undefined) throw new Error('a connection went while it was changed')
  const { tenant, version } = row
  const message = create(ConnectionChangedSchema, { connectionId: key.connectionId, version: BigInt(version), change })
  await addEvent(tx, { schema: ConnectionChangedSchema, message, tenant, version })
  await audit(tx, { tenant, kind: kinds[change], subjectId: key.connectionId, details: { version: String(version), ...details } })
  return row
}
