import { create } from '@bufbuild/protobuf'
import { BindingChangedSchema, GroupChangedSchema, RoleChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { audit } from '../audit/audit.ts'
import type { Changing } from './change-access.ts'

/** Tells that a role is another one, and puts it on record. */
export async function tellRoleChanged(
  { tx, tenant, version }: Changing,
  role: string,
  kind: 'role_create' | 'role_update' | 'role_delete',
): Promise<void> {
  await addEvent(tx, { schema: RoleChangedSchema, message: create(RoleChangedSchema, { role, version }), tenant, version })
  await audit(tx, { tenant, kind, subjectId: role })
}

/** Tells that a group is another one, and puts it on record. */
export async function tellGroupChanged(
  { tx, tenant, version }: Changing,
  groupId: string,
  done: { readonly kind: 'group_create' | 'group_delete' | 'group_member_add' | 'group_member_remove'; readonly member?: string },
): Promise<void> {
  await addEvent(tx, { schema: GroupChangedSchema, message: create(GroupChangedSchema, { groupId, version }), tenant, version })
  const { kind, member } = done
  await audit(tx, { tenant, kind, subjectId: member ?? groupId, ...(member !== undefined && { details: { group: groupId } }) })
}

/** Tells that a binding is there, or there no more, and puts it on record. */
export async function tellBindingChanged(
  { tx, tenant, version }: Changing,
  bindingId: string,
  done: {
    readonly kind: 'role_bind' | 'role_unbind'
    readonly subjectId?: string
    readonly role?: string
    readonly resource?: string
    readonly condition?: string
    readonly expireTime?: Date | null
  },
): Promise<void> {
  await addEvent(tx, { schema: BindingChangedSchema, message: create(BindingChangedSchema, { bindingId, version }), tenant, version })
  const { kind, subjectId, role, resource = '', condition = '', expireTime = null } = done
  const details = {
    binding: bindingId,
    ...(role !== undefined && { role }),
    ...(resource !== '' && { resource }),
    ...(condition !== '' && { condition }),
    ...(expireTime !== null && { expires: expireTime.toISOString() }),
  }
  await audit(tx, { tenant, kind, ...(subjectId !== undefined && { subjectId }), details })
}
