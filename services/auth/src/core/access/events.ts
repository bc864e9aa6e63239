import { create } from '@bufbuild/protobuf'
import { BindingChangedSchema, GroupChangedSchema, RoleChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import type { Changing } from './change-access.ts'

export async function tellRoleChanged({ tx, tenant, version }: Changing, role: string): Promise<void> {
  await addEvent(tx, { schema: RoleChangedSchema, message: create(RoleChangedSchema, { role, version }), tenant, version })
}

export async function tellGroupChanged({ tx, tenant, version }: Changing, groupId: string): Promise<void> {
  await addEvent(tx, { schema: GroupChangedSchema, message: create(GroupChangedSchema, { groupId, version }), tenant, version })
}

export async function tellBindingChanged({ tx, tenant, version }: Changing, bindingId: string): Promise<void> {
  await addEvent(tx, { schema: BindingChangedSchema, message: create(BindingChangedSchema, { bindingId, version }), tenant, version })
}
