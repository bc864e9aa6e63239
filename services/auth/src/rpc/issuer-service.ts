import type { ServiceImpl } from '@connectrpc/connect'
import type { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import type { Deps } from '../core/deps.ts'
import { listIssuers } from '../core/tenants/list-issuers.ts'

/** Whom verifiers trust. */
export function issuerService(deps: Deps) {
  return {
    async listIssuers() {
      const issuers = await listIssuers(deps)
      return { issuers: issuers.map((each) => ({ ...each, hosts: [...each.hosts], jwks: [...each.jwks] })) }
    },
  } satisfies ServiceImpl<typeof IssuerService>
}
