import { administratorRole } from '@gatehouse/identity'
import { type BindingRow, findBinding, isPlain, deleteBinding as removeBinding } from '../../store/bindings.ts'
import { activeAdministrators, assertAdministratorBeside, assertAnotherAdministrator } from '../access/administrators.ts'
import { type AccessDeps, changeAccess } from '../access/change-access.ts'
import { tellBindingChanged } from '../access/events.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Takes a role from somebody. Of two administrators who take it from each other at once, in two replicas, one stays. */
export async function deleteBinding(deps: AccessDeps, key: { readonly tenant: string; readonly id: string }): Promise<BindingRow> {
  const { tenant } = key
  const found = await findBinding(deps.db, key)
  if (!found) throw refuse(ErrorReason.BINDING_NOT_FOUND)
  const active = makesAdministrator(found) ? await activeAdministrators(deps, tenant) : new Set<string>()
  return await changeAccess(deps, tenant, async (change) => {
    const binding = await findBinding(change.tx, key)
    if (!binding) throw refuse(ErrorReason.BINDING_NOT_FOUND)
    const left = binding.subject_kind === 'person' ? assertAnotherAdministrator : assertAdministratorBeside
    if (makesAdministrator(binding)) await left(change, binding.subject_id, active)
    await removeBinding(change.tx, key)
    await change.tell([{ kind: 'binding', name: binding.id }])
    await tellBindingChanged(change, binding.id, {
      kind: 'role_unbind',
      subjectId: binding.subject_id,
      role: binding.role,
      resource: binding.resource,
    })
    return binding
  })
}

function makesAdministrator(binding: BindingRow): boolean {
  return binding.role === administratorRole && binding.subject_kind !== 'group' && isPlain(binding)
}
