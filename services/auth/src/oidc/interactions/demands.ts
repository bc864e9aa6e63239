import { nameOfStrength, type Strength, strengthOf } from '@gatehouse/identity'
import { decodeJwt } from 'jose'
import type { BrowserSession, LibraryMetadata } from '../../core/oidc/oidc-parts.ts'
import { ErrorReason, refuse } from '../../core/refuse.ts'
import { type AskedAcr, demandedStrength } from '../acr.ts'
import type { Interaction } from './interaction.ts'

/** What a session has to be for a client to get a code of it. */
export interface Demands {
  /** Least `Strength`; 4 is out of anybody's reach. */
  readonly strength: number
  /** Seconds that may have passed since the sign-in when the client asked. */
  readonly maxAge: number | null
  /** Whether the person has to sign in after the client asked. */
  readonly anew: boolean
  /** Whom the client means, by the id that it knows them by. */
  readonly subject: string | null
}

interface ClaimsParameter {
  readonly id_token?: { readonly acr?: AskedAcr | null; readonly sub?: { readonly value?: unknown } | null }
}

/** What the client asked, as the library's own checks read it. */
export function demandsOf(
  { params, prompt }: Pick<Interaction, 'params' | 'prompt'>,
  client: Pick<LibraryMetadata, 'gatehouse_min_strength'>,
): Demands {
  const claims: ClaimsParameter = typeof params.claims === 'string' ? JSON.parse(params.claims) : {}
  const acr = typeof params.acr_values === 'string' ? { values: params.acr_values.split(' ') } : claims.id_token?.acr
  const hinted = typeof params.id_token_hint === 'string' ? decodeJwt(params.id_token_hint).sub : claims.id_token?.sub?.value
  return {
    strength: demandedStrength(acr, client.gatehouse_min_strength),
    maxAge: params.max_age === undefined ? null : Number(params.max_age),
    anew: prompt.reasons.includes('login_prompt'),
    subject: typeof hinted === 'string' ? hinted : null,
  }
}

/**
 * Refuses a session of which the client would get less than it asked for. The library looks again when the browser comes back, except at the age: whoever has
 * just answered passes for somebody who has just signed in.
 */
export function assertMeets(
  { strength, maxAge, anew, subject }: Demands,
  session: BrowserSession & { readonly subject: string },
  askedAt: number,
): void {
  const signedInAt = session.authTime.getTime()
  if (subject !== null && subject !== session.subject) throw needs('other_person')
  if (anew && signedInAt <= askedAt) throw needs('login')
  if (maxAge !== null && signedInAt + maxAge * 1000 <= askedAt) throw needs('max_age')
  if (strengthOf(session.amr) < strength) throw needs('strength', { strength: nameOfStrength(strength as Strength) || 'out_of_reach' })
}

/** What is missing, and the page can see to. */
export function needs(need: 'login' | 'max_age' | 'strength' | 'other_person', more: Readonly<Record<string, string>> = {}) {
  return refuse(ErrorReason.INTERACTION_NEEDS, { need, ...more })
}
