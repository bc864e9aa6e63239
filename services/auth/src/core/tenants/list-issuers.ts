import type { IssuerRecord } from '@gatehouse/identity'
import { listPublicKeys } from '../../store/signing-keys.ts'
import { listTenantHosts, listTenants } from '../../store/tenants.ts'
import type { Deps } from '../deps.ts'

/** Every tenant with what it takes to verify its tokens. */
export async function listIssuers(deps: Pick<Deps, 'db' | 'now'>): Promise<IssuerRecord[]> {
  const tenants = await listTenants(deps.db)
  const hosts = Map.groupBy(await listTenantHosts(deps.db), (row) => row.tenant)
  const keys = Map.groupBy(await listPublicKeys(deps.db, new Date(deps.now())), (row) => row.tenant)
  return tenants.map(({ id, origin }) => ({
    tenant: id,
    origin,
    hosts: (hosts.get(id) ?? []).map((row) => row.host),
    jwks: (keys.get(id) ?? []).map((row) => JSON.stringify(row.public_jwk)),
  }))
}
