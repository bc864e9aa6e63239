import { timingSafeEqual } from 'node:crypto'
import { transact } from '@gatehouse/postgres'
import type { MacKeys } from '@gatehouse/rpc'
import { type ChallengeSecretRow, listSecretsWithCode } from '../../store/challenge-secrets.ts'
import { type ChallengeRow, countWrongCode, lockChallenge } from '../../store/challenges.ts'
import { countCodeFailure, lockCodeFailures } from '../../store/code-failures.ts'
import { concerning } from '../audit/refusals.ts'
import type { Deps } from '../deps.ts'
import { hashAddress, secretAgain } from './derive-secret.ts'
import type { ProveInput } from './prove.ts'
import { kindOfPurpose } from './secret-lifetimes.ts'

const wrongCodesOfChallenge = 5
const wrongCodesOfAddressAndDay = 20
const dayMs = 86_400_000

/**
 * Compares a code with those of the challenge's mails. Check and count are one under the locks of the challenge and of the address's day,
 * so a parallel burst gets no attempt more. Exhausted codes leave the link alone: the owner of the mailbox is never locked out.
 */
export async function checkCode(
  deps: Pick<Deps, 'db' | 'now' | 'challengeKeys'>,
  input: ProveInput,
  code: string,
): Promise<{ challenge: ChallengeRow; secret: ChallengeSecretRow } | 'exhausted' | undefined> {
  const { tenant, purpose } = input
  return await transact(deps.db, async (tx) => {
    const challenge = await lockChallenge(tx, { tenant, id: input.challengeId })
    if (challenge?.kind !== kindOfPurpose[purpose] || challenge.end_time !== null) return undefined
    if (input.userId !== undefined && challenge.user_id !== input.userId) return undefined
    concerning(challenge.user_id ?? '', { challenge: challenge.id })
    const failures = {
      tenant,
      addressHash: hashAddress(deps.challengeKeys.current, tenant, challenge.address_key ?? ''),
      day: Math.floor(deps.now() / dayMs),
    }
    const wrongToday = await lockCodeFailures(tx, failures)
    if (challenge.wrong_codes >= wrongCodesOfChallenge || wrongToday >= wrongCodesOfAddressAndDay) return 'exhausted'

    const now = new Date(deps.now())
    const secrets = await listSecretsWithCode(tx, { tenant, challengeId: challenge.id, purpose, now })
    // Every mail is compared, whichever fits.
    const [secret] = secrets.filter((candidate) => isCodeOf(deps.challengeKeys, candidate, code))
    if (secret !== undefined) return { challenge, secret }
    await countWrongCode(tx, challenge)
    await countCodeFailure(tx, failures)
    return undefined
  })
}

function isCodeOf(keys: MacKeys, secret: ChallengeSecretRow, code: string): boolean {
  const owner = { tenant: secret.tenant, challengeId: secret.challenge_id, deliveryId: secret.delivery_id }
  const right = Buffer.from(secretAgain(keys, owner, secret.token_hash)?.code ?? '')
  const given = Buffer.from(code)
  return right.length === given.length && timingSafeEqual(right, given)
}
