import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { acrOf, type Person, strengthOf } from '@gatehouse/identity'
import { commonRefusal } from '@gatehouse/rpc'
import type { BrowserSession, Payload } from '../../core/oidc/oidc-parts.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import type { SignedInSession } from '../overrides/session.ts'
import { assertMeets, demandsOf, needs } from './demands.ts'
import { clientOf } from './describe.ts'
import { askedAtMs, finishInteraction, type Interaction, invalid } from './interaction.ts'

type SignInParts = Pick<ProviderParts, 'acts' | 'tenant'>

/**
 * Answers an interaction with the session of whoever shows its access token. Nothing less becomes a code: a sign-in that waits for its second factor has no
 * token.
 */
export async function signIn(parts: SignInParts, interaction: Interaction, person: Person): Promise<{ location: string }> {
  const { acts, tenant } = parts
  if (interaction.prompt.name !== 'login') throw invalid()
  const session = await sessionOf(parts, person)
  const client = await clientOf(parts, interaction)
  const known = { ...session, subject: acts.clients.subject(tenant, client, session.userId) }
  assertMeets(demandsOf(interaction, client), known, askedAtMs(interaction))
  // Whoever may not sign in any more would be sent back here for ever.
  if ((await acts.people.account(tenant, session.userId)) === undefined) throw needs('other_person')
  // Somebody else, or the same person anew: the library insists on the session that it began with.
  const { session: before, ...rest } = interaction
  const kept = before?.uid === session.id ? interaction : (rest as Interaction)
  return await finishInteraction(parts, tenant, kept, { ...interaction.lastSubmission, login: loginOf(session) })
}

/** The session of a token as the database has it now: the token says what was ten minutes ago. */
export async function sessionOf({ acts, tenant }: SignInParts, person: Person): Promise<BrowserSession> {
  const session = await acts.sessions.findById(tenant, person.sessionId)
  if (session === undefined || session.userId !== person.id || session.generation !== person.generation)
    throw commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID)
  return session
}

/** The library drops what of it is left out. */
export function loginOf({ id, userId, generation, authTime, expireTime, amr }: BrowserSession): Payload {
  const session: SignedInSession = { id, generation, expire: secondsOf(expireTime) }
  return { accountId: userId, ts: secondsOf(authTime), amr: [...amr], acr: acrOf(strengthOf(amr)), session }
}

function secondsOf(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
