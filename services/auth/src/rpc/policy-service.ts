import type { ServiceImpl } from '@connectrpc/connect'
import type { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import type { LimitFeed } from '../core/policies/limit-feed.ts'
import { policyOf } from '../core/policies/policy-of.ts'
import { updatePolicy } from '../core/policies/update-policy.ts'
import { watchLimits } from '../core/policies/watch-limits.ts'

/** What tenants ask of sign-ins. */
export function policyService(deps: Deps & { limitFeed: LimitFeed }) {
  return {
    async getPolicy(_, context) {
      return { policy: await policyOf(deps, callOf(context).tenant) }
    },
    async updatePolicy(request, context) {
      return { policy: await updatePolicy(deps, { ...request, tenant: callOf(context).tenant }) }
    },
    watchLimits({ cursor }, context) {
      return watchLimits(deps, { cursor, signal: callOf(context).signal })
    },
  } satisfies ServiceImpl<typeof PolicyService>
}
