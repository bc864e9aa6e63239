import { deleteBindings } from '../../store/role-bindings.ts'
import type { Db } from '../deps.ts'

/** Takes every role from a person, within the caller's transaction. */
export async function unbindPerson(tx: Db, person: { tenant: string; userId: string }): Promise<void> {
  await deleteBindings(tx, { tenant: person.tenant, id: person.userId })
}
