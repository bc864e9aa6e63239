import type { OidcActs, Payload } from '../../core/oidc/oidc-parts.ts'
import { ErrorReason, refuse } from '../../core/refuse.ts'

/** A request of a client that waits for a person, as the library keeps it. */
export interface Interaction extends Payload {
  readonly jti: string
  /** Seconds since 1970, as all times of the library. */
  readonly iat: number
  readonly exp: number
  /** When the client asked, in milliseconds. */
  readonly askedAtMs?: number
  /** Where the browser goes on. */
  readonly returnTo: string
  readonly prompt: { readonly name: string; readonly reasons: readonly string[]; readonly details: MissingDetails }
  /** What the client asked; checked, and with the defaults of the client. */
  readonly params: Readonly<Record<string, unknown>>
  /** Who was signed in when it began. */
  readonly session?: { readonly accountId?: string; readonly uid?: string }
  /** Answers to the prompts before this one. */
  readonly lastSubmission?: Payload
}

/** What the library found not to be granted. */
export interface MissingDetails {
  readonly missingOIDCScope?: readonly string[]
  readonly missingOIDCClaims?: readonly string[]
  readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
}

export type InteractionKey = { readonly tenant: string; readonly uid: string }

type Records = { readonly acts: Pick<OidcActs, 'records'> }

/** The last moment at which the client can have asked: of an interaction that a version before this one began, the end of its second. */
export function askedAtMs({ askedAtMs: told, iat }: Pick<Interaction, 'askedAtMs' | 'iat'>): number {
  return told ?? iat * 1000 + 999
}

/** One that goes on. */
export async function findInteraction({ acts }: Records, { tenant, uid }: InteractionKey): Promise<Interaction> {
  const found = (await acts.records.find(tenant, 'Interaction', uid)) as Interaction | undefined
  if (found === undefined || found.exp <= nowSeconds()) throw invalid()
  return found
}

/** Answers it: the library goes on with the result when the browser comes back. */
export async function finishInteraction(
  { acts }: Records,
  tenant: string,
  interaction: Interaction,
  result: Payload,
): Promise<{ location: string }> {
  const ttlSeconds = Math.max(1, interaction.exp - nowSeconds())
  await acts.records.save(tenant, 'Interaction', interaction.jti, { ...interaction, result }, ttlSeconds)
  return { location: interaction.returnTo }
}

/** Over, begun in another browser, or at another step: none of it is anybody's business. */
export function invalid() {
  return refuse(ErrorReason.INTERACTION_INVALID)
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
