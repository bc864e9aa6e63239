import { createClient } from '@connectrpc/connect'
import { CommandFailed, shown } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { peerTransport } from '@gatehouse/rpc'
import { openSigner } from '@gatehouse/service'
import { variables } from './config.ts'

/** Asks auth, which knows the tenants, whether there is such a one: people of a tenant that is misspelt would be found by nobody. */
export async function requireTenant(tenant: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { AUTH_URL, WORKLOAD_KEY_FILE, WORKLOAD_TOKEN_FILE, GRPC_TLS_CA_FILE } = variables
  const config = readConfig({ AUTH_URL, WORKLOAD_KEY_FILE, WORKLOAD_TOKEN_FILE, GRPC_TLS_CA_FILE }, env)
  const { authUrl, grpcTlsCaFile } = config
  await using transport = peerTransport({
    target: 'auth',
    url: authUrl,
    signer: await openSigner('user', config),
    ...(grpcTlsCaFile !== undefined && { tls: { caFile: grpcTlsCaFile } }),
  })
  const { issuers } = await createClient(IssuerService, transport)
    .listIssuers({}, { timeoutMs: 5_000 })
    .catch(() => {
      throw new CommandFailed(`Auth cannot be asked whether there is a tenant ${shown(tenant)}: is AUTH_URL right, and does it run?`)
    })
  if (!issuers.some((issuer) => issuer.tenant === tenant)) throw new CommandFailed(`There is no tenant ${shown(tenant)}.`)
}
