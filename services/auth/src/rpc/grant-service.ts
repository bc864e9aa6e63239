import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { GrantService } from '@gatehouse/contracts/gatehouse/auth/v1/grant_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { type AllowedClient, listGrants } from '../core/oidc/grants/list-grants.ts'
import { revokeGrants } from '../core/oidc/grants/revoke-grants.ts'

/** What people let clients of OpenID Connect do for them. */
export function grantService(deps: Deps) {
  return {
    async listGrants({ pageSize, pageToken }, context) {
      const { tenant, id: userId } = callOf(context).person()
      const { grants, nextPageToken } = await listGrants(deps, { tenant, userId, pageSize, pageToken })
      return { grants: grants.map(grantMessage), nextPageToken }
    },
    async revokeGrant({ clientId }, context) {
      const { tenant, id: userId } = callOf(context).person()
      await revokeGrants(deps, { tenant, userId, clientId })
      return {}
    },
    async revokeGrantsOfUser({ userId, clientId }, context) {
      const { tenant } = callOf(context)
      return { revokedCount: await revokeGrants(deps, { tenant, userId, ...(clientId !== '' && { clientId }) }) }
    },
  } satisfies ServiceImpl<typeof GrantService>
}

function grantMessage({ scopes, resources, createTime, living, ...plain }: AllowedClient) {
  return {
    ...plain,
    scopes: [...scopes],
    resources: Object.entries(resources).map(([resource, allowed]) => ({ resource, scopes: [...allowed] })),
    createTime: timestampFromDate(createTime),
    ...(living && { lastUseTime: timestampFromDate(living.lastUseTime), expireTime: timestampFromDate(living.expireTime) }),
  }
}
