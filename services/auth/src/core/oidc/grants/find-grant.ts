import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import { findGrant as readGrant } from '../../../store/oidc/grants.ts'
import { ensureGrantId } from '../../../store/oidc/session-clients.ts'
import type { Deps } from '../../deps.ts'
import type { Payload } from '../oidc-parts.ts'

/** What a grant gives, while it goes on. */
export async function findGrant(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant, id }: { tenant: string; id: string },
): Promise<Payload | undefined> {
  if (!isUuid(id)) return undefined
  const row = await readGrant(deps.db, { tenant, id, now: new Date(deps.now()) })
  return row && { ...(JSON.parse(row.payload) as Payload), jti: id }
}

/** The id of the session's grant for the client: two tabs at once have one. */
export async function ensureGrant(
  deps: Pick<Deps, 'db' | 'now'>,
  of: { tenant: string; sessionId: string; clientId: string },
): Promise<string> {
  return await ensureGrantId(deps.db, { ...of, newId: uuidv7(), now: new Date(deps.now()) })
}
