import { transact } from '@gatehouse/postgres'
import { forgetConsents } from '../../../store/oidc/consents.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { endGrants } from './end-grants.ts'

/**
 * Takes back what a person let a client do, or all clients, and forgets that they allowed it. Answers how many grants ended. The answer goes first, as wherever one is
 * given: whoever allows something at the same moment waits, and neither waits for the other in turn.
 */
export async function revokeGrants(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'committed'>,
  which: { tenant: string; userId: string; clientId?: string },
): Promise<number> {
  const { tenant, userId } = which
  const ended = await transact(deps.db, async (tx) => {
    const forgotten = await forgetConsents(tx, which)
    await audit(
      tx,
      ...forgotten.map(({ client_id: client }) => ({ tenant, kind: 'consent_forget', subjectId: userId, details: { client } })),
    )
    return await endGrants(tx, deps, which, { cause: 'revoked' })
  })
  if (ended.length > 0) deps.committed()
  return ended.length
}
