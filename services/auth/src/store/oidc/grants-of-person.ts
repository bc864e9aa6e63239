import { sql } from 'kysely'
import type { Db } from '../schema.ts'

/** What a person lets a client do, over all of their grants, and what they answered when they were asked. */
export interface ClientOfPersonRow {
  readonly client_id: string
  readonly name: string
  readonly first_party: boolean
  readonly consent_scopes: readonly string[] | null
  readonly consent_resources: Readonly<Record<string, string>> | null
  readonly consent_time: Date | null
  /** What the grants that go on give, each once. */
  readonly given: readonly GivenRow[] | null
  readonly offline: boolean | null
  readonly create_time: Date | null
  readonly last_use_time: Date | null
  readonly expire_time: Date | null
}

/** Of the library's JSON: scopes are words between spaces. */
export interface GivenRow {
  readonly openid?: { readonly scope?: string } | null
  readonly resources?: Readonly<Record<string, string>> | null
  readonly rejected?: GivenRow | null
}

export interface ClientsOfPerson {
  readonly tenant: string
  readonly userId: string
  /** Only clients whose ids come later. */
  readonly after: string
  readonly limit: number
  readonly now: Date
}

/**
 * One row for each client. However often somebody signs in there, a page is a page: what their grants say is made one by the database, where most of them say the same.
 */
export async function listClientsOfPerson(db: Db, { tenant, userId, after, limit, now }: ClientsOfPerson): Promise<ClientOfPersonRow[]> {
  const { rows } = await sql<ClientOfPersonRow>`
    with living as materialized (
      select g.client_id, g.payload::jsonb as payload, g.offline, g.create_time, g.last_use_time,
        case when g.offline then g.expire_time else least(g.expire_time, s.expire_time) end as expire_time
      from oidc_grants g left join sessions s on s.tenant = g.tenant and s.id = g.session_id
      where g.tenant = ${tenant} and g.user_id = ${userId}::uuid and g.client_id > ${after} and g.end_time is null and g.expire_time > ${now}
        and (g.offline or (s.end_time is null and s.idle_expire_time > ${now} and s.expire_time > ${now}))),
    answered as (
      select client_id, scopes, resources, create_time from oidc_consents
      where tenant = ${tenant} and user_id = ${userId}::uuid and client_id > ${after}),
    given as (
      select client_id, bool_or(offline) as offline, min(create_time) as create_time, max(last_use_time) as last_use_time, max(expire_time) as expire_time,
        jsonb_agg(distinct jsonb_build_object('openid', payload -> 'openid', 'resources', payload -> 'resources', 'rejected', payload -> 'rejected')) as given
      from living group by client_id)
    select c.client_id, c.name, c.first_party, a.scopes as consent_scopes, a.resources as consent_resources, a.create_time as consent_time,
      g.given, g.offline, g.create_time, g.last_use_time, g.expire_time
    from given g full join answered a on a.client_id = g.client_id
    join oidc_clients c on c.tenant = ${tenant} and c.client_id = coalesce(g.client_id, a.client_id) and c.delete_time is null
    order by c.client_id limit ${limit}::integer`.execute(db)
  return rows
}
