import { transact } from '@gatehouse/postgres'
import { insertAudience } from '../../store/audiences.ts'
import { resourceAudienceExists } from '../../store/oidc/resources.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Registers the service of another team; answers whether it is new. Not for an audience of clients' tokens. */
export async function registerAudience(deps: Pick<Deps, 'db'>, which: { tenant: string; audience: string }): Promise<boolean> {
  return await transact(deps.db, async (tx) => {
    // Whoever serves it would take the token of a client for a person's whole word.
    if (await resourceAudienceExists(tx, which)) throw refuse(ErrorReason.RESOURCE_EXISTS, { resource: which.audience })
    const isNew = await insertAudience(tx, which)
    if (isNew) await audit(tx, { tenant: which.tenant, kind: 'audience_add', subjectId: which.audience })
    return isNew
  })
}
