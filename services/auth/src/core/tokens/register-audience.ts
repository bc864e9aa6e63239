import { transact } from '@gatehouse/postgres'
import { insertAudience } from '../../store/audiences.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'

/** Registers the service of another team; answers whether it is new. */
export async function registerAudience(deps: Pick<Deps, 'db'>, which: { tenant: string; audience: string }): Promise<boolean> {
  return await transact(deps.db, async (tx) => {
    const isNew = await insertAudience(tx, which)
    if (isNew) await audit(tx, { tenant: which.tenant, kind: 'audience_add', subjectId: which.audience })
    return isNew
  })
}
