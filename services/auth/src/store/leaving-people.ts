import { sql } from 'kysely'
import type { Db } from './schema.ts'

/** Who of a tenant is about to be suspended or deleted, by the database's clock. */
export async function listLeavingPeople(tx: Db, tenant: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('leaving_people')
    .select('user_id')
    .where('tenant', '=', tenant)
    .where('until_time', '>', sql<Date>`clock_timestamp()`)
    .execute()
  return rows.map(({ user_id }) => user_id)
}

export async function putLeavingPerson(tx: Db, person: { tenant: string; userId: string; seconds: number }): Promise<void> {
  await sql`
    insert into leaving_people (tenant, user_id, until_time)
    values (${person.tenant}, ${person.userId}, clock_timestamp() + make_interval(secs => ${person.seconds}::integer))
    on conflict (tenant, user_id) do update set until_time = excluded.until_time`.execute(tx)
  await sql`delete from leaving_people where until_time < clock_timestamp()`.execute(tx)
}
