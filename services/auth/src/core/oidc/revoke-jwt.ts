import type { InspectedToken } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { addRevocation } from '../../store/revocations.ts'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'
import { forgetTime } from '../sessions/revoke-sessions.ts'
import { foundSigned } from './tokens/found-token.ts'

/**
 * Ends one signed token, for the client that it was given to (RFC 7009): verifiers hear of it as they hear of sessions. What it was given under goes on: a client that gives an
 * access token back wants to go on with its refresh token. A token of somebody else is left as it is, and the caller told nothing.
 */
export async function revokeJwt(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes'>,
  { tenant, clientId, token }: { tenant: string; clientId: string; token: InspectedToken },
): Promise<void> {
  const { tenant: issuedBy, tokenId = '', id: subject, grantId, sessionId, kind } = token.person
  if (issuedBy !== tenant || !isUuid(tokenId) || foundSigned(token).clientId !== clientId) return
  await transact(deps.db, async (tx) => {
    const isNew = await addRevocation(tx, {
      tenant,
      session_id: tokenId,
      forget_time: forgetTime(deps, { end_time: new Date(deps.now()) }),
    })
    if (!isNew) return
    await audit(tx, {
      tenant,
      kind: 'token_revoke',
      subjectId: kind === 'person' ? subject : '',
      ...(isUuid(sessionId) && sessionId !== grantId && { sessionId }),
      details: { client: clientId, token: tokenId, ...(grantId !== undefined && { grant: grantId }) },
    })
  })
}
