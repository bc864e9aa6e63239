import type Provider from 'oidc-provider'
import { errors, type TokenEndpointGrantContext } from 'oidc-provider'
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  findAccount,
  resolveRequestedResources,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js'
import { mayLookAt } from '../core/oidc/introspect-token.ts'
import type { FoundToken } from '../core/oidc/tokens/found-token.ts'
import { actAsClient } from './act-as-client.ts'
import { type Client, factsOf } from './client-facts.ts'
import { translated } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
] as const

type ExchangeContext = TokenEndpointGrantContext<Partial<Record<(typeof PARAMETERS)[number], string | string[]>>>

/** Whoever acts for somebody, and for whom that one acted (RFC 8693 section 4.1). */
interface Acting {
  readonly sub: string
  readonly act?: Acting
}

/** What an exchanged token says beside what every token does. */
interface Carried {
  readonly act: Acting
  readonly auth_time?: unknown
  readonly acr?: unknown
  readonly amr?: unknown
}

/** Services that call each other in a circle end here. */
const MOST_ACTING = 5

const carried = new WeakMap<object, Carried>()

/** What a token carries over from the one that it was given for; undefined of one that was not exchanged. */
export function carriedBy(token: object): Carried | undefined {
  return carried.get(token)
}

/**
 * Token exchange (RFC 8693): a service that was called with somebody's token gets one of its own for the next service, which says for whom it acts. It is never good for more than the
 * first one, never longer, and ends with the grant and the session that the first one was given under.
 */
export function exchangesTokens(provider: Provider, parts: ProviderParts): void {
  provider.registerGrantType(GRANT_TYPE, (context: ExchangeContext) => exchange(provider, parts, context), [...PARAMETERS], ['resource'])
}

async function exchange(provider: Provider, { acts, look, tenant }: ProviderParts, context: ExchangeContext): Promise<void> {
  const { client } = context.oidc
  actAsClient()
  const text = subjectToken(context.oidc.params)
  const proof = await validateDpop(provider, context)
  checkDpopRequired(provider, context, proof)
  const subject = await translated(() => look(tenant, text))
  const { userId, grantId, sessionId, givenTo, claims } = personIn(client, subject)
  // A token that is bound to a key is good for nobody who lacks the key, for this neither.
  if (subject?.keyThumbprint !== undefined && subject.keyThumbprint !== proof?.thumbprint)
    throw new errors.InvalidRequest('subject_token is bound to a key, and the request does not prove it')
  if ((await findAccount(provider, context, userId)) === undefined) throw unusable()

  const [resource, ...more] = await resolveRequestedResources(provider, context)
  if (resource === undefined || more.length > 0) throw new errors.InvalidTarget('a token is exchanged for one resource')
  const scope = narrowed(context.oidc.requestParamScopes, subject?.scope ?? [], resource.scopes)
  await checkDpopReplay(provider, context, proof, client.clientId)

  const token = new provider.AccessToken({
    accountId: userId,
    client,
    grantId,
    gty: 'token_exchange',
    scope,
    // Of a grant that outlives its session the token names the grant in its place.
    ...(sessionId === grantId ? { expiresWithSession: false } : { expiresWithSession: true, sessionUid: sessionId }),
  } as ConstructorParameters<typeof provider.AccessToken>[0])
  token.resourceServer = resource
  const rest = Number(claims.exp) - Math.floor(Date.now() / 1000)
  Object.assign(token, { expiresIn: Math.max(1, Math.min(resource.accessTokenTTL ?? rest, rest)) })
  if (proof !== undefined) token.setThumbprint('jkt', proof.thumbprint)
  carried.set(token, { act: acting(client, claims.act), auth_time: claims.auth_time, acr: claims.acr, amr: claims.amr })
  context.oidc.entity('AccessToken', token)

  const audience = resource.audience ?? resource.identifier()
  await translated(() =>
    acts.tokens.noteExchange(tenant, { userId, sessionId, grantId, clientId: client.clientId, givenTo, audience, scope }),
  )
  context.body = buildTokenResponse(provider, {
    accessToken: await token.save(),
    issuedTokenType: ACCESS_TOKEN,
    expiresIn: token.expiration,
    scope,
    tokenType: token.tokenType,
  })
}

/** The one kind of token that is exchanged, for the one kind that there is for it. */
function subjectToken(params: ExchangeContext['oidc']['params']): string {
  const { subject_token: token, subject_token_type: type, requested_token_type: wanted = ACCESS_TOKEN } = params
  if (typeof token !== 'string' || token === '') throw new errors.InvalidRequest("missing required parameter 'subject_token'")
  if (type !== ACCESS_TOKEN) throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`)
  if (wanted !== ACCESS_TOKEN) throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN}`)
  if (params.actor_token !== undefined || params.actor_token_type !== undefined)
    throw new errors.InvalidRequest('the client itself is who acts: no actor_token is taken')
  if (params.audience !== undefined) throw new errors.InvalidTarget('name the resource of the audience in its place')
  return token
}

/** Whoever the token is about, where this client may act for them. What is wrong with a token is told to nobody. */
function personIn(client: Client, subject: FoundToken | undefined) {
  const onlooker = { client_id: client.clientId, gatehouse_introspects: factsOf(client).gatehouse_introspects, isPublic: false }
  if (
    subject === undefined ||
    subject.kind !== 'access' ||
    subject.clientId === undefined ||
    subject.isPairwise ||
    !mayLookAt(onlooker, subject)
  )
    throw unusable()
  const { sub, gid, sid } = subject.claims
  if (typeof sub !== 'string' || typeof gid !== 'string' || typeof sid !== 'string')
    throw new errors.InvalidRequest('subject_token is about no person: a program asks for a token of its own')
  return { userId: sub, grantId: gid, sessionId: sid, givenTo: subject.clientId, claims: subject.claims }
}

const unusable = () => new errors.InvalidRequest('subject_token is no living token that this client may use')

/** What of the first token's scope the resource knows, and of that what was asked for: asking for more is refused. */
function narrowed(asked: ReadonlySet<string>, had: readonly string[], known: ReadonlySet<string>): string {
  const possible = had.filter((scope) => known.has(scope))
  const wanted = asked.size === 0 ? possible : [...asked]
  const tooMuch = wanted.find((scope) => !possible.includes(scope))
  if (tooMuch !== undefined) throw new errors.InvalidScope('subject_token does not have the scope for this resource', tooMuch)
  if (wanted.length === 0) throw new errors.InvalidScope('subject_token has no scope of this resource', '')
  return wanted.join(' ')
}

function acting({ clientId }: Pick<Client, 'clientId'>, before: unknown): Acting {
  const depth = (act: unknown): number => (typeof act === 'object' && act !== null ? 1 + depth((act as Partial<Acting>).act) : 0)
  if (depth(before) >= MOST_ACTING) throw new errors.InvalidRequest('subject_token was exchanged too often')
  return { sub: clientId, ...(before !== undefined && { act: before as Acting }) }
}
