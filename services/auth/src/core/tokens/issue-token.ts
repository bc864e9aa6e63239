import { audienceExists } from '../../store/audiences.ts'
import { findSession } from '../../store/sessions.ts'
import type { Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type MintedToken, mintAudienceToken } from './mint-token.ts'

/** What an audience may look like; the own one is never registered. */
export const audiencePattern = /^(?!gatehouse$)[\x21-\x7e]{1,200}$/

export interface IssueTokenInput {
  readonly tenant: string
  readonly sessionId: string
  readonly audience: string
}

/** A token of the caller's session for one registered audience. It says who somebody is, to that audience only, and grants nothing here. */
export async function issueToken(deps: Deps, input: IssueTokenInput): Promise<MintedToken> {
  const { tenant, audience } = input
  // Whatever else it is, no such audience can be registered, and Postgres would not even take it as a text.
  if (!audiencePattern.test(audience)) throw refuse(ErrorReason.AUDIENCE_UNKNOWN)
  const registered = deps.audiences.includes(audience) || (await audienceExists(deps.db, { tenant, audience }))
  if (!registered) throw refuse(ErrorReason.AUDIENCE_UNKNOWN)
  const session = await findSession(deps.db, { tenant, id: input.sessionId })
  if (!session || session.end_time !== null) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  if (!(await resolveActivePerson(deps, { tenant, userId: session.user_id }))) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  return await mintAudienceToken(deps, session, audience)
}
