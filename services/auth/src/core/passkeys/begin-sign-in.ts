import type { Deps } from '../deps.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { type BegunAttempt, beginAttempt } from './attempts.ts'
import { relyingPartyOf } from './relying-party.ts'
import { requestOptions } from './request-options.ts'

/** Begins a sign-in of whoever comes: the browser shows the passkeys that it has. */
export async function beginPasskeySignIn(
  deps: Pick<Deps, 'db' | 'now' | 'batches' | 'lifetimes'>,
  { tenant }: { tenant: string },
): Promise<Omit<BegunAttempt, 'challenge'> & { optionsJson: string }> {
  requireAllowed(await policyOf(deps, tenant), 'passkey')
  const relyingParty = await relyingPartyOf(deps.db, tenant)
  const { challenge, ...attempt } = await beginAttempt(deps.db, deps, { tenant, userId: null, sessionId: null })
  return { ...attempt, optionsJson: requestOptions({ relyingParty, challenge }) }
}
