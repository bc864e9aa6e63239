import type { ChallengeKind } from '../../store/account-tables.ts'
import { endChallenges, lockLiveChallenges } from '../../store/challenges.ts'
import { deleteSignUps } from '../../store/sign-ups.ts'
import type { Db } from '../deps.ts'

/** Challenges that become pointless. */
export interface Overtaken {
  readonly kinds: readonly ChallengeKind[]
  readonly addressKey?: string
  readonly userId?: string
}

/** Uses a challenge up, and the others that it overtakes with it. Of many at once exactly one gets `true`. Whoever proved the mailbox owns what was sent there: it goes with them. */
export async function claimChallenge(
  tx: Db,
  claim: { tenant: string; id: string; time: Date; overtakes: Overtaken; owner?: string },
): Promise<boolean> {
  const ids = await lockLiveChallenges(tx, { tenant: claim.tenant, id: claim.id, ...claim.overtakes })
  if (!ids.includes(claim.id)) return false
  await end(tx, { ...claim, ids })
  return true
}

/** Ends challenges that something else overtook. */
export async function endOvertaken(tx: Db, which: { tenant: string; time: Date; overtakes: Overtaken }): Promise<void> {
  const ids = await lockLiveChallenges(tx, { tenant: which.tenant, ...which.overtakes })
  if (ids.length > 0) await end(tx, { ...which, ids })
}

async function end(tx: Db, ended: { tenant: string; ids: readonly string[]; time: Date; owner?: string }): Promise<void> {
  await endChallenges(tx, ended)
  await deleteSignUps(tx, { tenant: ended.tenant, challengeIds: ended.ids })
}
