import { once, transact } from '@gatehouse/postgres'
import { lockChallenge } from '../../store/challenges.ts'
import { repeatMail } from '../challenges/open-challenge.ts'
import { revealSeconds } from '../challenges/secret-lifetimes.ts'
import type { Deps } from '../deps.ts'
import { type Retry, stranger } from './caller.ts'

export interface ResendVerificationInput {
  readonly tenant: string
  readonly challengeId: string
  readonly retry: Retry
  /** A silent limit is exhausted: the last mail stays good and no other follows. */
  readonly withheld: boolean
}

/** Asks for the mail of a pending sign-up once more. Nothing is pending a day after it began. */
export async function resendVerification(deps: Pick<Deps, 'db' | 'now' | 'committed'>, input: ResendVerificationInput): Promise<void> {
  if (input.withheld) return
  const { tenant, challengeId } = input
  await transact(deps.db, (tx) =>
    once(tx, { tenant, caller: stranger, method: 'AccountService.ResendVerification', ...input.retry }, async () => {
      const challenge = await lockChallenge(tx, { tenant, id: challengeId })
      if (challenge?.kind !== 'sign_up' || challenge.end_time !== null) return challengeId
      if (challenge.create_time.getTime() + revealSeconds * 1000 <= deps.now()) return challengeId
      await repeatMail(tx, challenge, new Date(deps.now()))
      return challengeId
    }),
  )
  deps.committed()
}
