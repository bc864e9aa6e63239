import { type BindingRow, findBinding, listBindings as readBindings } from '../../store/bindings.ts'
import { type PageInput, pageOf } from '../access/page.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface ListBindingsInput extends PageInput {
  readonly tenant: string
  /** Empty for every role. */
  readonly role: string
  /** Empty for every subject. */
  readonly subjectId: string
}

/** A page of what is bound, in the order of its creation. */
export async function listBindings({ db }: Pick<Deps, 'db'>, input: ListBindingsInput) {
  const { tenant, role, subjectId } = input
  const which = { tenant, ...(role !== '' && { role }), ...(subjectId !== '' && { subjectId }) }
  return await pageOf(
    ['ListBindings', tenant, role, subjectId.toLowerCase()],
    input,
    (after, limit) => readBindings(db, { ...which, after, limit }),
    (row: BindingRow) => ({ time: row.create_time, id: row.id }),
  )
}

export async function getBinding({ db }: Pick<Deps, 'db'>, key: { readonly tenant: string; readonly id: string }): Promise<BindingRow> {
  const binding = await findBinding(db, key)
  if (!binding) throw refuse(ErrorReason.BINDING_NOT_FOUND)
  return binding
}
