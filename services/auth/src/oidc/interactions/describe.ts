import type { LibraryMetadata } from '../../core/oidc/oidc-parts.ts'
import { isPairwise } from '../../core/oidc/people/pairwise-subject.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import { type Access, askedOf, missingOf } from './asked.ts'
import { demandsOf } from './demands.ts'
import { type Interaction, invalid } from './interaction.ts'

type DescribeParts = Pick<ProviderParts, 'acts' | 'tenant'>

/** An interaction as its page shows it. */
export interface DescribedInteraction {
  readonly prompt: string
  /** Checks that it did not pass. */
  readonly reasons: readonly string[]
  readonly client: { readonly id: string; readonly name: string; readonly uri: string | null; readonly firstParty: boolean }
  readonly asked: Access
  /** What the person is asked for; empty where they only confirm. */
  readonly missing: Access
  readonly strength: number
  readonly maxAge: number | null
  readonly loginHint: string | null
  /** Whom the client means, or who was signed in when it began. */
  readonly personId: string | null
  readonly expireTime: string
}

export async function describeInteraction({ acts, tenant }: DescribeParts, interaction: Interaction): Promise<DescribedInteraction> {
  const { params, prompt, session, exp } = interaction
  const client = await clientOf({ acts, tenant }, interaction)
  const asked = await askedOf(acts, tenant, interaction, client)
  const { strength, maxAge, subject } = demandsOf(interaction, client)
  return {
    prompt: prompt.name,
    reasons: prompt.reasons,
    client: {
      id: client.client_id,
      name: String(client.client_name ?? client.client_id),
      uri: originOf(params.redirect_uri),
      firstParty: client.gatehouse_first_party,
    },
    asked,
    missing: missingOf(interaction, asked, await grantOf({ acts, tenant }, interaction, client)),
    strength,
    maxAge,
    loginHint: typeof params.login_hint === 'string' ? params.login_hint : null,
    // An id that only the client knows somebody by says nothing to the page.
    personId: (isPairwise(client) ? null : subject) ?? session?.accountId ?? null,
    expireTime: new Date(exp * 1000).toISOString(),
  }
}

/** Who asks; whoever was disabled meanwhile does not. */
export async function clientOf({ acts, tenant }: DescribeParts, { params }: Interaction): Promise<LibraryMetadata> {
  const client = await acts.clients.known(tenant, String(params.client_id))
  if (client === undefined) throw invalid()
  return client
}

/** What the client has in the session in which the interaction began. */
export async function grantOf({ acts, tenant }: DescribeParts, { session }: Interaction, { client_id }: LibraryMetadata) {
  if (session?.uid === undefined) return undefined
  const grantId = (await acts.sessions.findById(tenant, session.uid))?.clients[client_id]?.grantId
  return grantId === undefined ? undefined : await acts.grants.find(tenant, grantId)
}

/** Where the person is sent with the answer; programs on a machine have a scheme of their own. */
function originOf(uri: unknown): string | null {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return null
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}
