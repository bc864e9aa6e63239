import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { ClientSettingsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { ClientService } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { callOf } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { createClient } from '../core/oidc/clients/create-client.ts'
import { deleteClient, disableClient } from '../core/oidc/clients/disable-client.ts'
import { getClient, listClients } from '../core/oidc/clients/list-clients.ts'
import { defaultOverlapSeconds, revokeSecret, rotateSecret } from '../core/oidc/clients/rotate-secret.ts'
import { updateClient } from '../core/oidc/clients/update-client.ts'
import type { ClientRules } from '../core/oidc/clients/validate-client.ts'
import { clientMessage, secretMessage } from './client-messages.ts'

/** Programs that sign people in through us. */
export function clientService(deps: Deps, rules: ClientRules = {}) {
  return {
    async createClient({ clientId, settings = create(ClientSettingsSchema) }, context) {
      const { tenant } = callOf(context)
      const { client, secret } = await createClient(deps, { tenant, clientId, settings }, rules)
      return { client: clientMessage(client), clientSecret: secret }
    },
    async getClient({ clientId }, context) {
      return { client: clientMessage(await getClient(deps, { tenant: callOf(context).tenant, clientId })) }
    },
    async listClients({ pageSize, pageToken }, context) {
      const { clients, nextPageToken } = await listClients(deps, { tenant: callOf(context).tenant, pageSize, pageToken })
      return { clients: clients.map(clientMessage), nextPageToken }
    },
    async updateClient({ clientId, settings = create(ClientSettingsSchema), etag }, context) {
      const { tenant } = callOf(context)
      return { client: clientMessage(await updateClient(deps, { tenant, clientId, settings, etag }, rules)) }
    },
    async rotateClientSecret({ clientId, overlap }, context) {
      const overlapSeconds = overlap === undefined ? defaultOverlapSeconds : Number(overlap.seconds)
      const { row, secret, oldExpireTime } = await rotateSecret(deps, { tenant: callOf(context).tenant, clientId, overlapSeconds })
      return { secret: secretMessage(row), clientSecret: secret, oldExpireTime: timestampFromDate(oldExpireTime) }
    },
    async revokeClientSecret({ clientId, secretId }, context) {
      await revokeSecret(deps, { tenant: callOf(context).tenant, clientId, secretId })
      return {}
    },
    async disableClient({ clientId }, context) {
      return { client: clientMessage(await disableClient(deps, { tenant: callOf(context).tenant, clientId }, true)) }
    },
    async enableClient({ clientId }, context) {
      return { client: clientMessage(await disableClient(deps, { tenant: callOf(context).tenant, clientId }, false)) }
    },
    async deleteClient({ clientId }, context) {
      await deleteClient(deps, { tenant: callOf(context).tenant, clientId })
      return {}
    },
  } satisfies ServiceImpl<typeof ClientService>
}
