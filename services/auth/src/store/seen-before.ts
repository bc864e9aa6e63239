import { type RawBuilder, sql } from 'kysely'
import type { Db } from './schema.ts'

/** What was known of a person when a session of theirs was written, the session itself left out. */
export interface SeenBefore {
  /** They have not signed in before. */
  readonly first: boolean
  /** It comes from where neither their last sign-ins nor their living sessions came from. */
  readonly newNetwork: boolean
  /** Living sessions that were opened in the minute before, counted to {@link livingLookedAt}. */
  readonly lately: number
  /** What was told of them lately and is not told again yet. */
  readonly told: readonly string[]
}

/** So many of the living sessions are looked at, those that were used last. */
export const livingLookedAt = 20
/** So many networks of a person are remembered, also when their sessions are gone. */
const networksKept = 20

/**
 * For a statement that writes sessions, of which `row` is one: a subquery sees what was there before the statement. It reads four rows or short ranges by
 * their keys, so that nobody is asked once more for an ordinary sign-in.
 */
export function seenBefore(row: string): RawBuilder<SeenBefore> {
  const of = (column: string) => sql.ref(`${row}.${column}`)
  return sql`(
    select jsonb_build_object(
      'first', cardinality(known.networks) = 0,
      'newNetwork', cardinality(known.networks) > 0 and ${of('network')} <> '' and ${of('network')} <> all (known.networks),
      'lately', living.lately,
      'told', array(select m.kind from suspicion_marks m
        where m.tenant = ${of('tenant')} and m.subject = ${of('user_id')}::text and m.until_time > ${of('create_time')}))
    from (
      select coalesce(array_agg(l.network), '{}') as networks,
        count(*) filter (where l.create_time > ${of('create_time')} - interval '1 minute') as lately
      from (
        select s.network, s.create_time from sessions s
        where s.tenant = ${of('tenant')} and s.user_id = ${of('user_id')} and s.end_time is null
        order by s.last_use_time desc, s.id desc limit ${sql.lit(livingLookedAt)}) l) living,
    lateral (
      select living.networks || coalesce((
        select e.networks from session_epochs e where e.tenant = ${of('tenant')} and e.user_id = ${of('user_id')}), '{}') as networks) known)`
}

/** For the upsert of a person's epoch: the networks that they signed in from, the newest before the others. */
export const withNetworks: RawBuilder<string[]> = sql`case when session_epochs.networks @> excluded.networks then session_epochs.networks
  else (excluded.networks || session_epochs.networks)[1:${sql.lit(networksKept)}] end`

/** Every network is new to the person from now on, and they are still known to have signed in. */
export async function forgetNetworks(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await putNetworks(tx, person, [''])
}

/** Nothing is left of where a person signed in from. */
export async function deleteNetworks(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await putNetworks(tx, person, [])
}

async function putNetworks(tx: Db, { tenant, userId }: { tenant: string; userId: string }, networks: string[]): Promise<void> {
  await tx.updateTable('session_epochs').set({ networks }).where('tenant', '=', tenant).where('user_id', '=', userId).execute()
}
