import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { type ClientOfPersonRow, listClientsOfPerson } from '../../../store/oidc/grants-of-person.ts'
import type { Deps } from '../../deps.ts'
import { allowedIn, words } from './merge-grants.ts'

const defaultPageSize = 50

/** What a person lets a client do, in all of their sessions together. */
export interface AllowedClient {
  readonly clientId: string
  readonly clientName: string
  readonly firstParty: boolean
  readonly scopes: readonly string[]
  /** Scopes by resource indicator. */
  readonly resources: Readonly<Record<string, readonly string[]>>
  readonly offline: boolean
  readonly createTime: Date
  /** Undefined where nothing goes on, and only the person's answer is remembered. */
  readonly living: { readonly lastUseTime: Date; readonly expireTime: Date } | undefined
}

/** A page of the clients that a person lets do something, by their ids. */
export async function listGrants(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant, userId, pageSize, pageToken }: { tenant: string; userId: string; pageSize: number; pageToken: string },
): Promise<{ grants: AllowedClient[]; nextPageToken: string }> {
  const scope = `oidc-grants/${tenant}/${userId}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = '', ...more] = decodePageToken(scope, pageToken) ?? []
  if (pageToken !== '' && (more.length > 0 || !/^[a-z0-9-]{1,63}$/.test(after))) throw new PageTokenInvalid('not a place in the list')
  const found = await listClientsOfPerson(deps.db, { tenant, userId, after, limit: limit + 1, now: new Date(deps.now()) })
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { grants: rows.map(allowedClient), nextPageToken: last ? encodePageToken(scope, [last.client_id]) : '' }
}

function allowedClient(row: ClientOfPersonRow): AllowedClient {
  const parts = (row.given ?? []).map(allowedIn)
  if (row.consent_scopes) parts.push({ scopes: row.consent_scopes.join(' '), resources: row.consent_resources ?? {} })
  const indicators = [...new Set(parts.flatMap(({ resources }) => Object.keys(resources)))].sort()
  const listed = (...texts: readonly (string | undefined)[]) =>
    words(...texts)
      .split(' ')
      .filter((word) => word !== '')
  const times = [row.create_time, row.consent_time].filter((time) => time !== null)
  return {
    clientId: row.client_id,
    clientName: row.name,
    firstParty: row.first_party,
    scopes: listed(...parts.map(({ scopes }) => scopes)),
    resources: Object.fromEntries(indicators.map((each) => [each, listed(...parts.map(({ resources }) => resources[each]))])),
    offline: row.offline ?? false,
    createTime: new Date(Math.min(...times.map(Number))),
    living: row.last_use_time && row.expire_time ? { lastUseTime: row.last_use_time, expireTime: row.expire_time } : undefined,
  }
}
