import { once, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { insertSignUp } from '../../store/sign-ups.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import type { Deps } from '../deps.ts'
import { checkNewPassword } from '../passwords/check-new-password.ts'
import { policyOf } from '../policies/policy-of.ts'
import { type Retry, stranger } from './caller.ts'

export interface SignUpInput {
  readonly tenant: string
  readonly email: string
  readonly password: string
  readonly name: string
  readonly locale: string
  readonly retry: Retry
  readonly signal?: AbortSignal
}

/**
 * Notes a request for an account. Nobody is asked who has the address: known and unknown ones take the same steps, and what
 * their mail says is decided when it is rendered.
 */
export async function signUp(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now' | 'hashing' | 'committed'>,
  input: SignUpInput,
): Promise<string> {
  const { tenant, email: address, name } = input
  const { passwordMinLength } = await policyOf(deps, tenant)
  const password = checkNewPassword(input.password, { email: address, name }, 'password', passwordMinLength)
  const passwordHash = await deps.hashing.hash(password, input.signal)
  const { id } = await transact(deps.db, (tx) =>
    once(tx, { tenant, caller: stranger, method: 'AccountService.SignUp', ...input.retry }, async () => {
      const challenge = await openChallenge(tx, { tenant, kind: 'sign_up', address, time: new Date(deps.now()) })
      await insertSignUp(tx, {
        tenant,
        challenge_id: challenge.id,
        user_id: uuidv7(),
        name,
        locale: input.locale || 'en',
        password_hash: passwordHash,
      })
      return challenge.id
    }),
  )
  deps.committed()
  return id
}
