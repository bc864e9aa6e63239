import { randomBytes } from 'node:crypto'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { forTenant } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import { setCredential } from '../../store/credentials.ts'
import type { Deps } from '../deps.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { openSession } from '../sessions/open-session.ts'
import { signedIn } from '../sessions/signed-in.ts'
import { resolvePerson } from './resolve-person.ts'

export interface DevPersonInput {
  readonly tenant: string
  readonly email: string
  readonly name: string
}

/** A proven and signed-in person, for whoever tries something out on their own machine. One who exists gets a new password. */
export async function makeDevPerson(deps: Deps, input: DevPersonInput): Promise<{ result: SignedInResult; password: string }> {
  const user = await provenPerson(deps, input)
  const password = randomBytes(18).toString('base64url')
  const passwordHash = await deps.hashing.hash(password)
  const lifetimes = lifetimesIn(await policyOf(deps, input.tenant))
  const opened = await transact(deps.db, async (tx) => {
    await setCredential(tx, {
      tenant: input.tenant,
      userId: user.id,
      passwordHash,
      time: new Date(deps.now()),
    })
    return await openSession(tx, deps, {
      tenant: input.tenant,
      userId: user.id,
      userAgent: 'gatehouse dev person',
      source: '',
      amr: ['pwd'],
      lifetimes,
      deviceKnown: true,
    })
  })
  return { result: await signedIn(deps, opened, user), password }
}

async function provenPerson(deps: Deps, input: DevPersonInput): Promise<User> {
  const { tenant, email, name } = input
  const known = await resolvePerson(deps, { tenant, by: { case: 'email', value: email } })
  if (known?.state === User_State.SUSPENDED) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  const { user } = known
    ? await deps.users.activateUser({ id: known.id }, forTenant(tenant))
    : await deps.users.registerUser({ id: uuidv7(), email, name }, forTenant(tenant))
  if (user === undefined) throw new Error('the user service answered without the person')
  return user
}
