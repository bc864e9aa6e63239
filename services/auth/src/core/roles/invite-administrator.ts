import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { administratorRole } from '@gatehouse/identity'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { bindRole } from '../../store/role-bindings.ts'
import { putServiceAccount } from '../../store/service-accounts.ts'
import type { Deps, Users } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { mintServiceAccountToken } from '../tokens/mint-token.ts'

/** Whoever holds the database's credentials acts as this account. */
const operatorName = 'operator'

export interface InviteAdministratorInput {
  readonly tenant: string
  readonly email: string
  readonly name: string
}

export interface InvitedAdministrator {
  readonly userId: string
  /** False where the person existed already and only got the role. */
  readonly invited: boolean
  readonly bound: boolean
}

/** Makes somebody an administrator: invites whoever does not exist, and binds the role. The same again changes nothing. `operators` calls without a workload's identity. */
export async function inviteAdministrator(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'lifetimes' | 'users' | 'batches'> & { operators: Pick<Users, 'createUser'> },
  input: InviteAdministratorInput,
): Promise<InvitedAdministrator> {
  const { tenant, email } = input
  const known = await resolvePerson(deps, { tenant, by: { case: 'email', value: email } })
  const user = known ?? (await invite(deps, input))
  if (user.state === User_State.DELETED) throw new Error(`${user.id} was deleted`)
  const bound = await bindRole(deps.db, { tenant, subject_id: user.id, subject_kind: 'person', role: administratorRole })
  return { userId: user.id, invited: known === undefined, bound }
}

async function invite(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'lifetimes' | 'batches'> & { operators: Pick<Users, 'createUser'> },
  input: InviteAdministratorInput,
): Promise<User> {
  const { token } = await mintAdministratorToken(deps, { tenant: input.tenant, name: operatorName })
  const { user } = await deps.operators.createUser(
    { email: input.email, name: input.name, requestId: uuidv4() },
    { headers: { authorization: `Bearer ${token}` }, timeoutMs: 10_000 },
  )
  if (user === undefined) throw new Error('the user service answered without the person')
  return user
}

/** A token of a service account that may do everything; the account is made where there is none. */
export async function mintAdministratorToken(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'lifetimes' | 'batches'>,
  account: { tenant: string; name: string },
) {
  const { id } = await putServiceAccount(deps.db, { ...account, id: uuidv7() })
  await bindRole(deps.db, { tenant: account.tenant, subject_id: id, subject_kind: 'service_account', role: administratorRole })
  return await mintServiceAccountToken(deps, { ...account, id })
}
