import type { IncomingMessage } from 'node:http'
import { Refusal } from '@gatehouse/rpc'
import type Provider from 'oidc-provider'
import { type Adapter, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { v7 as uuidv7 } from 'uuid'
import type { JudgedClient } from '../core/oidc/registration/judge-metadata.ts'
import { nameOf } from '../core/oidc/registration/registration-tokens.ts'
import { callBehind } from './calls.ts'
import { currentContext } from './current-context.ts'
import { errorOf } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'

type RegistrationParts = Pick<ProviderParts, 'acts' | 'tenant'>
type Feature = NonNullable<NonNullable<Configuration['features']>['registration']>

/** The library runs it on what a program asks for, before it looks at it. Each token names it where it is read: none is without. */
const POLICY = 'as administrators'

/** Stands where the library makes a secret: ours are made where their hashes are kept. */
const NO_SECRET = 'made later'

/** The library refuses RS256 where the tenant has no such key yet: the first client that asks for one has it made, with the client. What is kept is what was judged. */
const alwaysKeyed = { id_token_signed_response_alg: 'ES256' }

const judgedBy = new WeakMap<IncomingMessage, JudgedClient>()
const answers = new WeakMap<IncomingMessage, object>()

/** Registration of programs by themselves (RFC 7591), for whoever shows a token of ours. They are not managed by themselves: no token for that is given. */
export function registrationOf(parts: RegistrationParts & Pick<ProviderParts, 'registration'>): Feature {
  if (!parts.registration) return { enabled: false }
  return {
    enabled: true,
    initialAccessToken: true,
    issueRegistrationAccessToken: false,
    idFactory: () => uuidv7(),
    secretFactory: () => NO_SECRET,
    policies: { [POLICY]: (context, properties) => judge(parts, context, properties) },
  }
}

/** What the library knows of a token. */
export function registrationTokenAdapter({ acts, tenant }: RegistrationParts): Partial<Adapter> {
  return {
    async find(id) {
      const found = await acts.records.find(tenant, 'InitialAccessToken', id)
      return found && { ...found, policies: [POLICY] }
    },
  }
}

/** Puts what the program may be in the place of what it asked for. */
async function judge({ acts, tenant }: RegistrationParts, context: KoaContextWithOIDC, properties: Record<string, unknown>): Promise<void> {
  const { body, entities } = context.oidc
  callBehind(context.req)?.setCaller({ workload: `registration-token:${nameOf(entities.InitialAccessToken?.jti ?? '')}` })
  const judged = await inWords(() => acts.registration.judge(tenant, { ...body }))
  judgedBy.set(context.req, judged)
  const { client_id, client_secret } = properties
  for (const name of Object.keys(properties)) delete properties[name]
  const needsSecret = String(judged.metadata.token_endpoint_auth_method).startsWith('client_secret_')
  Object.assign(properties, judged.metadata, { client_id, ...(needsSecret && { client_secret }), ...alwaysKeyed })
}

/** Where the library saves a client that it found good. */
export async function register({ acts, tenant }: RegistrationParts, clientId: string): Promise<void> {
  const context = currentContext()
  const judged = context && judgedBy.get(context.req)
  const token = context?.oidc.entities.InitialAccessToken?.jti
  if (context === undefined || judged === undefined || token === undefined)
    throw new TypeError('a client is registered by a token, and judged before')
  const made = await acts.registration.register(tenant, { clientId, token, judged })
  if (made === 'used_up') throw new errors.InvalidToken('the token is good for no more clients')
  if (made === 'full') throw new errors.InvalidRequest('there are as many registered clients as there may be', 403)
  answers.set(context.req, {
    client_id: clientId,
    client_id_issued_at: Math.floor(made.issueTime.getTime() / 1000),
    ...(made.secret !== '' && { client_secret: made.secret, client_secret_expires_at: 0 }),
    ...judged.metadata,
  })
}

/** The library would answer what it has: a secret that is none, and names of ours. */
export function answersOfRegistration(provider: Provider): void {
  provider.use(async (context, next) => {
    await next()
    const { oidc } = context as unknown as Partial<KoaContextWithOIDC>
    if (oidc?.route !== 'registration' || context.status !== 201) return
    const answer = answers.get(context.req)
    if (answer === undefined) throw new TypeError('the library registered a client that we did not')
    context.body = answer
  })
}

async function inWords<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'CLIENT_METADATA_INVALID') throw errorOf(error)
    // Of what begins with redirect_uris the library says invalid_redirect_uri, of the rest invalid_client_metadata.
    throw new errors.InvalidClientMetadata(`${error.metadata.field} ${error.metadata.problem}`)
  }
}
