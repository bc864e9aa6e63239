import { v7 as uuidv7 } from 'uuid'
import type { SubjectKindName } from '../../store/access-tables.ts'
import { insertBinding, isPlain, listBindingsOf } from '../../store/bindings.ts'
import { changing } from '../access/change-access.ts'
import { tellBindingChanged } from '../access/events.ts'
import type { Db } from '../deps.ts'

export interface GivenRole {
  readonly tenant: string
  readonly role: string
  readonly kind: Exclude<SubjectKindName, 'group'>
  readonly subjectId: string
}

/** Gives a role on everything and always within the caller's transaction, on the word of whoever holds the database's credentials. `false` where it was given before. */
export async function giveRole(tx: Db, { tenant, role, kind, subjectId }: GivenRole): Promise<boolean> {
  const held = await listBindingsOf(tx, tenant, [subjectId])
  if (held.some((binding) => binding.role === role && isPlain(binding))) return false
  const change = await changing(tx, tenant)
  const id = uuidv7()
  const always = { resource: '', condition: '', expire_time: null, creator_id: null }
  if (!(await insertBinding(tx, { tenant, id, role, subject_kind: kind, subject_id: subjectId, ...always }))) return false
  await change.tell([{ kind: 'binding', name: id }])
  await tellBindingChanged(change, id, { kind: 'role_bind', subjectId, role })
  return true
}
