import { type Selectable, sql } from 'kysely'
import type { GroupMembersTable, GroupsTable } from './access-tables.ts'
import type { Db } from './schema.ts'

export type GroupRow = Selectable<GroupsTable>
export type GroupMemberRow = Selectable<GroupMembersTable>

/** Behind which row a page begins. */
export interface RowAfter {
  readonly time: Date
  readonly id: string
}

const columns = ['tenant', 'id', 'name', 'create_time'] as const
const memberColumns = ['tenant', 'group_id', 'member_id', 'member_kind', 'create_time'] as const

export async function findGroup(db: Db, key: { tenant: string; id: string }): Promise<GroupRow | undefined> {
  return await db.selectFrom('groups').select(columns).where('tenant', '=', key.tenant).where('id', '=', key.id).executeTakeFirst()
}

export async function listGroups(db: Db, which: { tenant: string; after: RowAfter | undefined; limit: number }): Promise<GroupRow[]> {
  const { after } = which
  return await db
    .selectFrom('groups')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(create_time, id) > (${after?.time}, ${after?.id})`))
    .orderBy('create_time')
    .orderBy('id')
    .limit(which.limit)
    .execute()
}

/** Undefined where there is a group of that name. */
export async function insertGroup(tx: Db, group: { tenant: string; id: string; name: string }): Promise<GroupRow | undefined> {
  return await tx
    .insertInto('groups')
    .values(group)
    .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
    .returning(columns)
    .executeTakeFirst()
}

export async function countGroups(db: Db, tenant: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) as count from groups where tenant = ${tenant}`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

export async function countMembers(db: Db, key: { tenant: string; groupId: string }): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from group_members where tenant = ${key.tenant} and group_id = ${key.groupId}`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

export async function listGroupIdsOf(db: Db, key: { tenant: string; memberId: string }): Promise<string[]> {
  const rows = await db
    .selectFrom('group_members')
    .select('group_id')
    .where('tenant', '=', key.tenant)
    .where('member_id', '=', key.memberId)
    .execute()
  return rows.map(({ group_id }) => group_id)
}

export async function listMembers(
  db: Db,
  which: { tenant: string; groupId: string; after: RowAfter | undefined; limit: number },
): Promise<GroupMemberRow[]> {
  const { after } = which
  return await db
    .selectFrom('group_members')
    .select(memberColumns)
    .where('tenant', '=', which.tenant)
    .where('group_id', '=', which.groupId)
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(create_time, member_id) > (${after?.time}, ${after?.id})`))
    .orderBy('create_time')
    .orderBy('member_id')
    .limit(which.limit)
    .execute()
}

export async function findMember(db: Db, key: { tenant: string; groupId: string; memberId: string }): Promise<GroupMemberRow | undefined> {
  return await db
    .selectFrom('group_members')
    .select(memberColumns)
    .where('tenant', '=', key.tenant)
    .where('group_id', '=', key.groupId)
    .where('member_id', '=', key.memberId)
    .executeTakeFirst()
}

export async function insertMember(
  tx: Db,
  member: { tenant: string; group_id: string; member_id: string; member_kind: 'person' | 'service_account' },
): Promise<GroupMemberRow> {
  return await tx.insertInto('group_members').values(member).returning(memberColumns).executeTakeFirstOrThrow()
}

/** Takes somebody out of one group, or of all where none is named; answers out of which. */
export async function deleteMemberships(tx: Db, key: { tenant: string; memberId: string; groupId?: string }): Promise<string[]> {
  const { groupId } = key
  const rows = await tx
    .deleteFrom('group_members')
    .where('tenant', '=', key.tenant)
    .where('member_id', '=', key.memberId)
    .$if(groupId !== undefined, (query) => query.where('group_id', '=', groupId ?? ''))
    .returning('group_id')
    .execute()
  return rows.map(({ group_id }) => group_id)
}

/** Deletes a group and everybody's being in it; answers who was. */
export async function deleteGroup(tx: Db, key: { tenant: string; id: string }): Promise<string[]> {
  const members = await tx
    .deleteFrom('group_members')
    .where('tenant', '=', key.tenant)
    .where('group_id', '=', key.id)
    .returning('member_id')
    .execute()
  await tx.deleteFrom('groups').where('tenant', '=', key.tenant).where('id', '=', key.id).execute()
  return members.map(({ member_id }) => member_id)
}

/** Names of the groups that somebody is in, sorted. */
export async function listGroupNamesOf(db: Db, key: { tenant: string; memberId: string; limit: number }): Promise<string[]> {
  const rows = await db
    .selectFrom('group_members as m')
    .innerJoin('groups as g', (join) => join.onRef('g.tenant', '=', 'm.tenant').onRef('g.id', '=', 'm.group_id'))
    .select('g.name')
    .where('m.tenant', '=', key.tenant)
    .where('m.member_id', '=', key.memberId)
    .orderBy('g.name')
    .limit(key.limit)
    .execute()
  return rows.map(({ name }) => name)
}
