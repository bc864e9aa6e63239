import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { administratorRole } from '@gatehouse/identity'
import { listAccountsWith, listPeopleWith } from '../../store/bindings.ts'
import { listLeavingPeople } from '../../store/leaving-people.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { Changing } from './change-access.ts'

/**
 * The administrators who are active at this moment, as the user service says: to be asked before the transaction, because none stays open across a call
 * to a peer. Without its answer the call is refused.
 */
export async function activeAdministrators({ db, batches }: Pick<Deps, 'db' | 'batches'>, tenant: string): Promise<ReadonlySet<string>> {
  const ids = await listPeopleWith(db, { tenant, role: administratorRole })
  const people = await Promise.all(ids.map((id) => batches.person({ tenant, id })))
  return new Set(people.filter((user): user is User => user?.state === User_State.ACTIVE).map((user) => user.id))
}

/** Refuses where nobody would be left who is active, stays, and holds the role on everything and always, without a group that could be emptied. */
export async function assertAnotherAdministrator(
  { tx, tenant }: Pick<Changing, 'tx' | 'tenant'>,
  leavingId: string,
  active: ReadonlySet<string>,
): Promise<void> {
  const others = await othersWhoStay(tx, tenant, leavingId)
  if (!others.some((id) => active.has(id))) throw refuse(ErrorReason.LAST_ADMINISTRATOR)
}

/** The same for a service account: where no person is left, another account does; nobody is left without anybody. */
export async function assertAdministratorBeside(
  { tx, tenant }: Pick<Changing, 'tx' | 'tenant'>,
  accountId: string,
  active: ReadonlySet<string>,
): Promise<void> {
  const accounts = await listAccountsWith(tx, { tenant, role: administratorRole })
  if (accounts.includes(accountId) && accounts.length === 1) await assertAnotherAdministrator({ tx, tenant }, accountId, active)
}

async function othersWhoStay(tx: Db, tenant: string, leavingId: string): Promise<string[]> {
  const leaving = new Set([leavingId, ...(await listLeavingPeople(tx, tenant))])
  return (await listPeopleWith(tx, { tenant, role: administratorRole })).filter((id) => !leaving.has(id))
}
