import { once, transact } from '@gatehouse/postgres'
import { v7 as uuidv7 } from 'uuid'
import { insertSignUp } from '../../store/sign-ups.ts'
import { audit } from '../audit/audit.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
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
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now' | 'hashing' | 'breaches' | 'committed'>,
  input: SignUpInput,
): Promise<string> {
  const { tenant, email: address, name } = input
  const [{ passwordMinLength: least }] = await Promise.all([policyOf(deps, tenant), requireNone(deps, tenant, address)])
  const wanted = { password: input.password, context: { email: address, name }, least, signal: input.signal }
  const passwordHash = await hashNewPassword(deps, wanted)
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
      await audit(tx, { tenant, kind: 'sign_up', details: { challenge: challenge.id } })
      return challenge.id
    }),
  )
  deps.committed()
  return id
}
