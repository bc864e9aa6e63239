import type { ServiceImpl } from '@connectrpc/connect'
import type { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { callOf } from '@gatehouse/rpc'
import { revealSecret } from '../core/challenges/reveal-secret.ts'
import type { Deps } from '../core/deps.ts'

export function challengeService(deps: Deps) {
  return {
    async revealSecret({ challengeId, deliveryId }, context) {
      const { tenant } = callOf(context)
      const { codeExpireSeconds, tokenExpireSeconds, ...mail } = await revealSecret(deps, {
        tenant,
        challengeId,
        deliveryId,
      })
      return {
        ...mail,
        codeExpireSeconds: BigInt(codeExpireSeconds),
        tokenExpireSeconds: BigInt(tokenExpireSeconds),
      }
    },
  } satisfies ServiceImpl<typeof ChallengeService>
}
