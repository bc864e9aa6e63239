import { deleteBindingsOf } from '../../store/bindings.ts'
import { deleteMemberships } from '../../store/groups.ts'
import { changing } from '../access/change-access.ts'
import { tellBindingChanged, tellGroupChanged } from '../access/events.ts'
import type { Db } from '../deps.ts'

/** Takes every role from a deleted person and out of every group, within the caller's transaction. Nobody can be asked any more who would be left. */
export async function unbindPerson(tx: Db, { tenant, userId }: { tenant: string; userId: string }): Promise<void> {
  const bindings = await deleteBindingsOf(tx, { tenant, id: userId })
  const groups = await deleteMemberships(tx, { tenant, memberId: userId })
  // Most people have none: they must not wait for each other.
  if (bindings.length + groups.length === 0) return
  const change = await changing(tx, tenant)
  await change.tell([
    ...bindings.map((id) => ({ kind: 'binding', name: id }) as const),
    ...groups.map((id) => ({ kind: 'member', name: `${id}/${userId}` }) as const),
  ])
  for (const id of bindings) await tellBindingChanged(change, id, { kind: 'role_unbind', subjectId: userId })
  for (const id of groups) await tellGroupChanged(change, id, { kind: 'group_member_remove', member: userId })
}
