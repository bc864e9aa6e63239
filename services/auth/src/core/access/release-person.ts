import { administratorRole } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { listPeopleWith } from '../../store/bindings.ts'
import { putLeavingPerson } from '../../store/leaving-people.ts'
import { activeAdministrators, assertAnotherAdministrator } from './administrators.ts'
import { type AccessDeps, changing } from './change-access.ts'

/** How long somebody counts as gone who is about to be suspended or deleted; afterwards the user service's word counts again. */
const holdSeconds = 60

/** Lets somebody be suspended or deleted, unless nobody else would be left who can do everything. Of two at once in two replicas the second is refused. */
export async function releasePerson(
  deps: AccessDeps,
  { tenant, userId }: { readonly tenant: string; readonly userId: string },
): Promise<void> {
  if (!(await listPeopleWith(deps.db, { tenant, role: administratorRole })).includes(userId.toLowerCase())) return
  const active = await activeAdministrators(deps, tenant)
  await transact(deps.db, async (tx) => {
    await changing(tx, tenant)
    await assertAnotherAdministrator({ tx, tenant }, userId.toLowerCase(), active)
    await putLeavingPerson(tx, { tenant, userId, seconds: holdSeconds })
  })
}
