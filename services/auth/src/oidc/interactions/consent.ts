import type { Person } from '@gatehouse/identity'
import type { BrowserSession, LibraryMetadata, NewGrant, Payload } from '../../core/oidc/oidc-parts.ts'
import { grantSeconds } from '../lifetimes.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import { type Access, askedOf, missingOf, refusedIn } from './asked.ts'
import { needs } from './demands.ts'
import { clientOf, grantOf } from './describe.ts'
import { finishInteraction, type Interaction, invalid, nowSeconds } from './interaction.ts'
import { invalidField } from './read-body.ts'
import { loginOf, sessionOf } from './sign-in.ts'

type ConsentParts = Pick<ProviderParts, 'acts' | 'tenant' | 'offline'>

/** Writes down what of the missing the person allows, and that they refuse the rest. It is asked of whoever was signed in when the library asked. */
export async function consent(
  parts: ConsentParts,
  interaction: Interaction,
  person: Person,
  ticked: Access,
): Promise<{ location: string }> {
  const { acts, tenant } = parts
  const { prompt, session: began, lastSubmission } = interaction
  if (prompt.name !== 'consent') throw invalid()
  if (began?.accountId !== person.id) throw needs('other_person')
  if (began.uid !== person.sessionId) throw invalid()
  const session = await sessionOf(parts, person)
  const client = await clientOf(parts, interaction)
  const before = await grantOf(parts, interaction, client)
  const missing = missingOf(interaction, await askedOf(acts, tenant, interaction, client), before)
  assertWithin(ticked, missing)
  // Without it there is nobody for the client to know: whoever does not want that refuses the whole.
  const scopes = missing.scopes.filter((scope) => scope === 'openid' || ticked.scopes.includes(scope))
  const grantId = isEmpty(missing) ? undefined : await give(parts, { session, client, before, given: { ...ticked, scopes }, missing })
  return await finishInteraction(parts, tenant, interaction, {
    ...lastSubmission,
    // The session may have been raised since it was answered before.
    ...(lastSubmission?.login !== undefined && { login: loginOf(session) }),
    consent: grantId === undefined ? {} : { grantId },
  })
}

interface Given {
  readonly session: BrowserSession
  readonly client: LibraryMetadata
  readonly before: Payload | undefined
  readonly given: Access
  readonly missing: Access
}

async function give({ acts, tenant, offline }: ConsentParts, { session, client, before, given, missing }: Given): Promise<string> {
  const ttlSeconds = grantSeconds(offline)
  const of = { sessionId: session.id, clientId: client.client_id }
  const id = await acts.grants.ensure(tenant, of)
  const payload = {
    kind: 'Grant',
    iat: nowSeconds(),
    exp: nowSeconds() + ttlSeconds,
    accountId: session.userId,
    clientId: client.client_id,
    ...partOf(given),
    rejected: partOf(without(union(refusedIn(before), missing), given)),
  }
  const grant: NewGrant = { id, sessionId: session.id, payload, ttlSeconds, consent: { ...given, resources: textsOf(given.resources) } }
  // The session, or the grant, has ended since: the person is asked anew where they began.
  if (!(await acts.grants.save(tenant, grant))) throw invalid()
  return id
}

/** As the library keeps it. */
function partOf({ scopes, claims, resources }: Access): Payload {
  const openid = { ...(scopes.length > 0 && { scope: scopes.join(' ') }), ...(claims.length > 0 && { claims }) }
  const texts = textsOf(resources)
  return { ...(Object.keys(openid).length > 0 && { openid }), ...(Object.keys(texts).length > 0 && { resources: texts }) }
}

function textsOf(resources: Access['resources']): Record<string, string> {
  return Object.fromEntries(Object.entries(resources).flatMap(([name, scopes]) => (scopes.length === 0 ? [] : [[name, scopes.join(' ')]])))
}

function union(some: Access, others: Access): Access {
  const names = [...new Set([...Object.keys(some.resources), ...Object.keys(others.resources)])]
  const both = (a: readonly string[] = [], b: readonly string[] = []) => [...new Set([...a, ...b])]
  return {
    scopes: both(some.scopes, others.scopes),
    claims: both(some.claims, others.claims),
    resources: Object.fromEntries(names.map((name) => [name, both(some.resources[name], others.resources[name])])),
  }
}

function without(some: Access, others: Access): Access {
  const less = (a: readonly string[], b: readonly string[] = []) => a.filter((each) => !b.includes(each))
  return {
    scopes: less(some.scopes, others.scopes),
    claims: less(some.claims, others.claims),
    resources: Object.fromEntries(Object.entries(some.resources).map(([name, scopes]) => [name, less(scopes, others.resources[name])])),
  }
}

function isEmpty({ scopes, claims, resources }: Access): boolean {
  return scopes.length + claims.length + Object.keys(resources).length === 0
}

/** A page cannot give what nobody was asked for. `openid` may be named or not. */
function assertWithin({ scopes, claims, resources }: Access, missing: Access): void {
  if (scopes.some((each) => each !== 'openid' && !missing.scopes.includes(each))) throw invalidField('scopes')
  if (claims.some((each) => !missing.claims.includes(each))) throw invalidField('claims')
  for (const [name, wanted] of Object.entries(resources))
    if (wanted.some((each) => !missing.resources[name]?.includes(each))) throw invalidField('resources')
}
