import { transact } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { audit } from '../audit/audit.ts'
import type { Deps } from '../deps.ts'

/** A token that a client got in place of somebody's. */
export interface Exchange {
  readonly userId: string
  readonly sessionId: string | undefined
  readonly grantId: string
  /** Who acts for the person from now on. */
  readonly clientId: string
  /** To whom the person's token was given. */
  readonly givenTo: string
  readonly audience: string
  readonly scope: string
}

/** Writes down who acts for whom, before there is a token with which to do so. */
export async function noteExchange(deps: Pick<Deps, 'db'>, tenant: string, exchange: Exchange): Promise<void> {
  const { userId, sessionId, grantId, clientId, givenTo, audience, scope } = exchange
  await transact(deps.db, async (tx) => {
    await audit(tx, {
      tenant,
      kind: 'token_exchange',
      subjectId: userId,
      ...(sessionId !== undefined && isUuid(sessionId) && { sessionId }),
      details: { client: clientId, given_to: givenTo, grant: grantId, audience, scope },
    })
  })
}
