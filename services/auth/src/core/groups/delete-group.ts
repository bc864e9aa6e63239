import { deleteBindingsOf } from '../../store/bindings.ts'
import { findGroup, deleteGroup as removeGroup } from '../../store/groups.ts'
import { type AccessDeps, changeAccess } from '../access/change-access.ts'
import { tellBindingChanged, tellGroupChanged } from '../access/events.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Deletes a group and what is bound to it. Those who were in it have what they have themselves. */
export async function deleteGroup(deps: AccessDeps, { tenant, id }: { readonly tenant: string; readonly id: string }): Promise<void> {
  await changeAccess(deps, tenant, async (change) => {
    const group = await findGroup(change.tx, { tenant, id })
    if (!group) throw refuse(ErrorReason.GROUP_NOT_FOUND)
    const bindings = await deleteBindingsOf(change.tx, { tenant, id })
    const members = await removeGroup(change.tx, { tenant, id })
    await change.tell([
      ...bindings.map((name) => ({ kind: 'binding', name }) as const),
      ...members.map((member) => ({ kind: 'member', name: `${group.id}/${member}` }) as const),
    ])
    for (const binding of bindings) await tellBindingChanged(change, binding, { kind: 'role_unbind', subjectId: group.id })
    await tellGroupChanged(change, group.id, { kind: 'group_delete' })
  })
}
