import { randomBytes } from 'node:crypto'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { administratorRole } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { reasonOf } from '@gatehouse/rpc'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { findServiceAccountByName, insertServiceAccount } from '../../store/service-accounts.ts'
import { audit } from '../audit/audit.ts'
import { giveRole } from '../bindings/give-role.ts'
import type { Deps, Users } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { deleteServiceAccount } from '../service-accounts/change-service-account.ts'
import { mintServiceAccountToken } from '../tokens/mint-token.ts'

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
  const known = () => resolvePerson(deps, { tenant, by: { case: 'email', value: email } })
  const present = await known()
  const made = present === undefined ? await invite(deps, input) : undefined
  // Somebody else invited them at the same moment.
  const user = present ?? made ?? (await known())
  if (user === undefined) throw new Error('the address was taken, and is nobody’s now')
  if (user.state === User_State.DELETED) throw new Error(`${user.id} was deleted`)
  const given = { tenant, role: administratorRole, kind: 'person', subjectId: user.id } as const
  const bound = await transact(deps.db, (tx) => giveRole(tx, given))
  return { userId: user.id, invited: made !== undefined, bound }
}

/** Whoever holds the database's credentials acts as an account that is there for this one call. Undefined where somebody has the address meanwhile. */
async function invite(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'lifetimes' | 'batches'> & { operators: Pick<Users, 'createUser'> },
  input: InviteAdministratorInput,
): Promise<User | undefined> {
  const { tenant } = input
  const { id, token } = await mintAdministratorToken(deps, { tenant, name: `operator-${randomBytes(4).toString('hex')}` })
  try {
    const { user } = await deps.operators.createUser(
      { email: input.email, name: input.name, requestId: uuidv4() },
      { headers: { authorization: `Bearer ${token}` }, timeoutMs: 10_000 },
    )
    if (user === undefined) throw new Error('the user service answered without the person')
    return user
  } catch (error) {
    if (reasonOf(error) === 'EMAIL_TAKEN') return undefined
    throw error
  } finally {
    await deleteServiceAccount(deps, { tenant, id })
  }
}

/** A token of a service account that may do everything; the account is made where there is none. */
export async function mintAdministratorToken(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'lifetimes' | 'batches'>,
  account: { tenant: string; name: string },
) {
  const { tenant, name } = account
  const id = await transact(deps.db, async (tx) => {
    const made = await insertServiceAccount(tx, { ...account, id: uuidv7() })
    if (made) await audit(tx, { tenant, kind: 'service_account_create', subjectId: made.id, details: { name } })
    const subject = made ?? (await findServiceAccountByName(tx, account))
    if (!subject) throw new Error(`the service account ${name} was deleted this moment`)
    await giveRole(tx, { tenant, role: administratorRole, kind: 'service_account', subjectId: subject.id })
    return subject.id
  })
  return { id, ...(await mintServiceAccountToken(deps, { ...account, id })) }
}
