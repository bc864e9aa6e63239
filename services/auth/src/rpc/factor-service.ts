import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { type Call, callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import type { FactorOwner } from '../core/factors/change-factors.ts'
import { listFactors } from '../core/factors/list-factors.ts'
import { makeRecoveryCodes } from '../core/factors/recovery-codes.ts'
import { removeFactorsOf } from '../core/factors/remove-factors-of.ts'
import { beginTotp, confirmTotp, removeTotp } from '../core/factors/totp.ts'
import { enrolledFactor } from './enrolled-factor.ts'
import { granterOf } from './granter-of.ts'

/** What people prove beside a password who they are with. */
export function factorService(deps: Deps) {
  return {
    async listFactors(_, context) {
      const { totpTimes, recoveryCodes, password } = await listFactors(deps, ownerOf(callOf(context)))
      return {
        ...(totpTimes && { totpCreateTime: timestampFromDate(totpTimes.create) }),
        ...(totpTimes?.lastUse && { totpLastUseTime: timestampFromDate(totpTimes.lastUse) }),
        recoveryCodesLeft: recoveryCodes,
        password,
      }
    },
    async beginTotp(_, context) {
      const { expireTime, ...setup } = await beginTotp(deps, ownerOf(callOf(context)))
      return { ...setup, expireTime: timestampFromDate(expireTime) }
    },
    async confirmTotp({ code }, context) {
      return { recoveryCodes: await confirmTotp(deps, ownerOf(callOf(context)), code) }
    },
    async deleteTotp(_, context) {
      await removeTotp(deps, ownerOf(callOf(context)))
      return {}
    },
    async makeRecoveryCodes(_, context) {
      return { recoveryCodes: await makeRecoveryCodes(deps, ownerOf(callOf(context))) }
    },
    async removeFactorsOfUser({ userId, addedSince }, context) {
      const call = callOf(context)
      const since = addedSince ? timestampDate(addedSince) : new Date(0)
      const removed = await removeFactorsOf(deps, { tenant: call.tenant, userId, since, by: granterOf(call) })
      return { removedFactors: removed.map(enrolledFactor) }
    },
  } satisfies ServiceImpl<typeof FactorService>
}

/** Whose factors a call is about. */
export function ownerOf(call: Call): FactorOwner {
  const { tenant, id: userId, sessionId } = call.person()
  return { tenant, userId, sessionId }
}
