import type { Duration } from '@bufbuild/protobuf/wkt'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { ResourceServerService } from '@gatehouse/contracts/gatehouse/auth/v1/resource_server_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import {
  listResourceServers,
  registerResourceServer,
  removeResourceServer,
  updateResourceServer,
} from '../core/oidc/clients/resource-servers.ts'
import type { ResourceRow } from '../store/oidc/resources.ts'

/** What tokens of clients can be for. */
export function resourceServerService(deps: Deps) {
  return {
    async registerResourceServer({ resource, audience, scopes, lifetime }, context) {
      const { tenant } = callOf(context)
      const wanted = { tenant, resource, audience: audience === '' ? resource : audience, scopes, lifetimeSeconds: secondsOf(lifetime) }
      return { resourceServer: resourceServerMessage(await registerResourceServer(deps, wanted)) }
    },
    async listResourceServers({ pageSize, pageToken }, context) {
      const { rows, nextPageToken } = await listResourceServers(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
      return { resourceServers: rows.map(resourceServerMessage), nextPageToken }
    },
    async updateResourceServer({ resource, scopes, lifetime }, context) {
      const wanted = { tenant: callOf(context).tenant, resource, scopes, lifetimeSeconds: secondsOf(lifetime) }
      return { resourceServer: resourceServerMessage(await updateResourceServer(deps, wanted)) }
    },
    async removeResourceServer({ resource }, context) {
      await removeResourceServer(deps, { tenant: callOf(context).tenant, resource })
      return {}
    },
  } satisfies ServiceImpl<typeof ResourceServerService>
}

function secondsOf(lifetime: Duration | undefined): number {
  return lifetime === undefined ? 600 : Number(lifetime.seconds)
}

function resourceServerMessage({ resource, audience, scopes, lifetime_seconds: seconds, create_time: createTime }: ResourceRow) {
  return { resource, audience, scopes, lifetime: { seconds: BigInt(seconds), nanos: 0 }, createTime: timestampFromDate(createTime) }
}
