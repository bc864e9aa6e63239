import type { SecretPurpose } from '../../store/account-tables.ts'
import { type ChallengeSecretRow, findSecretByToken } from '../../store/challenge-secrets.ts'
import { type ChallengeRow, findChallenge } from '../../store/challenges.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { checkCode } from './check-code.ts'
import { hashToken } from './derive-secret.ts'

export interface ProveInput {
  readonly tenant: string
  readonly purpose: SecretPurpose
  /** Empty where the caller does not know it; then only a token proves anything. */
  readonly challengeId: string
  readonly proof: { case: 'code'; value: string } | { case: 'token'; value: string }
  /** Whose challenge it has to be. */
  readonly userId?: string
}

/** A live challenge and the mail whose secret the caller has. Nothing is used up yet. */
export interface Proven {
  readonly challenge: ChallengeRow
  readonly secret: ChallengeSecretRow
}

/** Checks what came in a mail. Whatever is wrong with it, strangers get the same refusal. */
export async function prove(deps: Pick<Deps, 'db' | 'now' | 'challengeKeys'>, input: ProveInput): Promise<Proven> {
  const proven =
    input.proof.case === 'code' ? await checkCode(deps, input, input.proof.value) : await checkToken(deps, input, input.proof.value)
  if (proven === 'exhausted') throw refuse(ErrorReason.CODE_ATTEMPTS_EXHAUSTED)
  if (proven === undefined) throw refuse(ErrorReason.CHALLENGE_INVALID)
  return proven
}

async function checkToken(deps: Pick<Deps, 'db' | 'now'>, input: ProveInput, token: string): Promise<Proven | undefined> {
  const { tenant } = input
  const secret = await findSecretByToken(deps.db, { tenant, tokenHash: hashToken(token) })
  if (secret?.user_id) concerning(secret.user_id, { challenge: secret.challenge_id })
  if (secret?.purpose !== input.purpose || secret.token_expire_time.getTime() <= deps.now()) return undefined
  const challenge = await findChallenge(deps.db, { tenant, id: secret.challenge_id })
  if (!challenge || challenge.end_time !== null) return undefined
  if (input.challengeId !== '' && input.challengeId.toLowerCase() !== challenge.id) return undefined
  if (input.userId !== undefined && challenge.user_id !== input.userId) return undefined
  return { challenge, secret }
}
