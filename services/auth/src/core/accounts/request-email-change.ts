import { once, transact } from '@gatehouse/postgres'
import { audit } from '../audit/audit.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import type { Deps } from '../deps.ts'
import { assertStrongSession } from '../factors/assert-strong-enough.ts'
import { policyOf } from '../policies/policy-of.ts'
import type { Retry } from './caller.ts'
import { checkCurrentPassword } from './check-current-password.ts'

export interface RequestEmailChangeInput {
  readonly tenant: string
  readonly userId: string
  /** The session of the call. */
  readonly sessionId: string
  readonly email: string
  readonly password: string
  readonly retry: Retry
  readonly signal?: AbortSignal
}

/** Opens a challenge for a new address of a person, whether somebody has that address or not. */
export async function requestEmailChange(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now' | 'requestKeys' | 'hashing' | 'committed'>,
  input: RequestEmailChangeInput,
): Promise<string> {
  const { tenant, userId, email: address } = input
  await assertStrongSession(deps.db, await policyOf(deps, tenant), input)
  await checkCurrentPassword(deps, input)
  const time = new Date(deps.now())
  const { id } = await transact(deps.db, (tx) =>
    once(tx, { tenant, caller: userId, method: 'AccountService.RequestEmailChange', ...input.retry }, async () => {
      const challenge = await openChallenge(tx, { tenant, kind: 'email_change', address, userId, time })
      await audit(tx, { tenant, kind: 'email_change_request', subjectId: userId, details: { challenge: challenge.id } })
      return challenge.id
    }),
  )
  deps.committed()
  return id
}
