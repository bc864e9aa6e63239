import { once, transact } from '@gatehouse/postgres'
import { audit } from '../audit/audit.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import type { Deps } from '../deps.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { type Retry, stranger } from './caller.ts'

export interface RequestPasswordResetInput {
  readonly tenant: string
  readonly email: string
  readonly retry: Retry
  /** A silent limit is exhausted: the last mail stays good and no other follows. */
  readonly withheld: boolean
}

/** Opens a challenge whether the address is known or not, and whether its mail goes out or not: nothing that follows tells them apart. */
export async function requestPasswordReset(
  deps: Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now' | 'committed'>,
  input: RequestPasswordResetInput,
): Promise<string> {
  const { tenant, email: address, withheld } = input
  requireAllowed(await policyOf(deps, tenant), 'password')
  const time = new Date(deps.now())
  const { id } = await transact(deps.db, (tx) =>
    once(tx, { tenant, caller: stranger, method: 'AccountService.RequestPasswordReset', ...input.retry }, async () => {
      const challenge = await openChallenge(tx, { tenant, kind: 'reset', address, time, withoutMail: withheld })
      // Whose address it is, nobody asks here; the challenge is named by what follows.
      await audit(tx, {
        tenant,
        kind: 'password_reset_request',
        details: { challenge: challenge.id, ...(withheld && { withheld: 'yes' }) },
      })
      return challenge.id
    }),
  )
  deps.committed()
  return id
}
