import { type Duration, timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  CreateServiceAccountRequestSchema,
  type ServiceAccountService,
} from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { callOf, repeated } from '@gatehouse/rpc'
import { createApiKey, defaultLifetimeSeconds } from '../core/api-keys/create-api-key.ts'
import { listApiKeys } from '../core/api-keys/list-api-keys.ts'
import { resolveApiKey } from '../core/api-keys/resolve-api-key.ts'
import { revokeApiKey } from '../core/api-keys/revoke-api-key.ts'
import { defaultOverlapSeconds, limitOf, rotateApiKey } from '../core/api-keys/rotate-api-key.ts'
import type { Deps } from '../core/deps.ts'
import { deleteServiceAccount, disableServiceAccount, dispensableIn } from '../core/service-accounts/change-service-account.ts'
import { createServiceAccount } from '../core/service-accounts/create-service-account.ts'
import { listServiceAccounts } from '../core/service-accounts/list-service-accounts.ts'
import type { ApiKeyRow } from '../store/api-keys.ts'
import type { ServiceAccountRow } from '../store/service-accounts.ts'
import { giverOf } from './giver-of.ts'

const defaultWindowSeconds = 60

/** Programs with an account, and their keys. */
export function serviceAccountService(deps: Deps) {
  return {
    async createServiceAccount(request, context) {
      const call = callOf(context)
      const { name, description, requestId } = request
      const retry = {
        requestId,
        ...repeated(CreateServiceAccountRequestSchema, request, deps.requestKeys),
        keptSeconds: deps.requestsKeptSeconds,
      }
      const row = await createServiceAccount(deps, { tenant: call.tenant, name, description, callerId: call.person().id, retry })
      return { serviceAccount: accountOf(row) }
    },
    async listServiceAccounts({ pageSize, pageToken }, context) {
      const { rows, nextPageToken } = await listServiceAccounts(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
      return { serviceAccounts: rows.map(accountOf), nextPageToken }
    },
    async disableServiceAccount({ id }, context) {
      const { tenant } = callOf(context)
      return { serviceAccount: accountOf(await disableServiceAccount(deps, { tenant, id }, true, await dispensableIn(deps, tenant))) }
    },
    async enableServiceAccount({ id }, context) {
      return { serviceAccount: accountOf(await disableServiceAccount(deps, { tenant: callOf(context).tenant, id }, false)) }
    },
    async deleteServiceAccount({ id }, context) {
      const { tenant } = callOf(context)
      await deleteServiceAccount(deps, { tenant, id }, await dispensableIn(deps, tenant))
      return {}
    },
    async createApiKey({ serviceAccountId, name, scopes, lifetime, limitCount, limitWindowSeconds }, context) {
      const call = callOf(context)
      const { row, key } = await createApiKey(deps, {
        giver: giverOf(call),
        key: {
          tenant: call.tenant,
          accountId: serviceAccountId,
          name,
          scopes,
          lifetimeSeconds: secondsOf(lifetime) ?? defaultLifetimeSeconds,
          limit: limitCount === 0 ? undefined : { count: limitCount, windowSeconds: limitWindowSeconds || defaultWindowSeconds },
        },
      })
      return { apiKey: keyOf(row), key }
    },
    async listApiKeys({ serviceAccountId, pageSize, pageToken }, context) {
      const { tenant } = callOf(context)
      const { rows, nextPageToken } = await listApiKeys(deps, { tenant, accountId: serviceAccountId, pageSize, pageToken })
      return { apiKeys: rows.map(keyOf), nextPageToken }
    },
    async rotateApiKey({ id, overlap, lifetime }, context) {
      const call = callOf(context)
      const { row, key, oldExpireTime } = await rotateApiKey(deps, {
        tenant: call.tenant,
        id,
        giver: giverOf(call),
        overlapSeconds: secondsOf(overlap) ?? defaultOverlapSeconds,
        lifetimeSeconds: secondsOf(lifetime),
      })
      return { apiKey: keyOf(row), key, oldExpireTime: timestampFromDate(oldExpireTime) }
    },
    async revokeApiKey({ id }, context) {
      await revokeApiKey(deps, { tenant: callOf(context).tenant, id })
      return {}
    },
    async resolveApiKey({ keyId, keyHash }) {
      const { expireTime, limit, ...key } = (await resolveApiKey(deps, { keyId, keyHash })) ?? {}
      if (!('tenant' in key)) return {}
      return {
        key: {
          ...key,
          scopes: [...key.scopes],
          permissions: [...key.permissions],
          ...(expireTime && { expireTime }),
          ...(limit && { limit }),
        },
      }
    },
  } satisfies ServiceImpl<typeof ServiceAccountService>
}

function secondsOf(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number(duration.seconds)
}

function accountOf(row: ServiceAccountRow) {
  const { id, name, description, create_time: createTime, disable_time: disableTime } = row
  return {
    id,
    name,
    description,
    createTime: timestampFromDate(createTime),
    ...(disableTime && { disableTime: timestampFromDate(disableTime) }),
  }
}

function keyOf(row: ApiKeyRow) {
  const limit = limitOf(row)
  return {
    id: row.id,
    serviceAccountId: row.account_id,
    name: row.name,
    scopes: [...row.scopes],
    createTime: timestampFromDate(row.create_time),
    expireTime: timestampFromDate(row.expire_time),
    ...(row.last_use_time && { lastUseTime: timestampFromDate(row.last_use_time) }),
    ...(row.revoke_time && { revokeTime: timestampFromDate(row.revoke_time) }),
    ...(limit && { limit }),
  }
}
