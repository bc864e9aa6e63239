import { findGroup, type GroupMemberRow, type GroupRow, listMembers, listGroups as readGroups } from '../../store/groups.ts'
import { type PageInput, pageOf } from '../access/page.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

type Reading = Pick<Deps, 'db'>

export async function getGroup({ db }: Reading, key: { readonly tenant: string; readonly id: string }): Promise<GroupRow> {
  const group = await findGroup(db, key)
  if (!group) throw refuse(ErrorReason.GROUP_NOT_FOUND)
  return group
}

/** A page of the groups, in the order of their creation. */
export async function listGroups({ db }: Reading, input: PageInput & { readonly tenant: string }) {
  const { tenant } = input
  return await pageOf(
    ['ListGroups', tenant],
    input,
    (after, limit) => readGroups(db, { tenant, after, limit }),
    (row: GroupRow) => ({ time: row.create_time, id: row.id }),
  )
}

/** A page of those who are in a group, in the order in which they came. */
export async function listGroupMembers({ db }: Reading, input: PageInput & { readonly tenant: string; readonly groupId: string }) {
  const { id: groupId } = await getGroup({ db }, { tenant: input.tenant, id: input.groupId })
  return await pageOf(
    ['ListGroupMembers', input.tenant, groupId],
    input,
    (after, limit) => listMembers(db, { tenant: input.tenant, groupId, after, limit }),
    (row: GroupMemberRow) => ({ time: row.create_time, id: row.member_id }),
  )
}
