import { listBindingsOf } from '../../store/bindings.ts'
import {
  countMembers,
  deleteMemberships,
  findGroup,
  findMember,
  type GroupMemberRow,
  insertMember,
  listGroupIdsOf,
} from '../../store/groups.ts'
import { assertHolds } from '../access/assert-holds.ts'
import { type AccessDeps, changeAccess, type Granter } from '../access/change-access.ts'
import { tellGroupChanged } from '../access/events.ts'
import { assertSubject, personProblem, type SubjectKey } from '../access/find-subject.ts'
import { assertRoom } from '../access/limits.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface AddGroupMemberInput {
  readonly tenant: string
  readonly granter: Granter
  readonly groupId: string
  readonly subject: SubjectKey
}

/** Puts somebody into a group. The granter has to hold whatever is bound to it: its members get that. */
export async function addGroupMember(deps: AccessDeps, input: AddGroupMemberInput): Promise<GroupMemberRow> {
  const { tenant, granter, subject } = input
  const problem = await personProblem(deps, tenant, subject)
  if (problem) throw problem
  return await changeAccess(deps, tenant, async (change) => {
    const { tx } = change
    const group = await findGroup(tx, { tenant, id: input.groupId })
    if (!group) throw refuse(ErrorReason.GROUP_NOT_FOUND)
    const present = await findMember(tx, { tenant, groupId: group.id, memberId: subject.id })
    if (present) return present
    await assertSubject(tx, tenant, subject)
    for (const { role, resource, expire_time } of await listBindingsOf(tx, tenant, [group.id]))
      await assertHolds(change, granter, { role }, { resource, expireTime: expire_time }, deps.now())
    assertRoom('members', await countMembers(tx, { tenant, groupId: group.id }))
    assertRoom('memberships', (await listGroupIdsOf(tx, { tenant, memberId: subject.id })).length)
    const kind = subject.kind === 'service_account' ? 'service_account' : 'person'
    const member = await insertMember(tx, { tenant, group_id: group.id, member_id: subject.id, member_kind: kind })
    await change.tell([{ kind: 'member', name: `${group.id}/${subject.id}` }])
    await tellGroupChanged(change, group.id, { kind: 'group_member_add', member: subject.id })
    return member
  })
}

/** Takes somebody out of a group. */
export async function removeGroupMember(
  deps: AccessDeps,
  input: { readonly tenant: string; readonly groupId: string; readonly memberId: string },
): Promise<void> {
  const { tenant } = input
  await changeAccess(deps, tenant, async (change) => {
    const group = await findGroup(change.tx, { tenant, id: input.groupId })
    if (!group) throw refuse(ErrorReason.GROUP_NOT_FOUND)
    const left = await deleteMemberships(change.tx, { tenant, memberId: input.memberId, groupId: group.id })
    if (left.length === 0) return
    await change.tell([{ kind: 'member', name: `${group.id}/${input.memberId.toLowerCase()}` }])
    await tellGroupChanged(change, group.id, { kind: 'group_member_remove', member: input.memberId.toLowerCase() })
  })
}
