import { randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import {
  ClientAuthMethod,
  ClientGrantType,
  ClientKind,
  type ClientSettings,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Deps } from '../src/core/deps.ts'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs, Payload } from '../src/core/oidc/oidc-parts.ts'
import type { OpenedDeps } from './open-deps.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

export const tenant = 'default'

/** Settings of a program on a server, which any of them may replace. */
export function settingsOf(given: Partial<Omit<ClientSettings, '$typeName'>> = {}): ClientSettings {
  return create(ClientSettingsSchema, {
    name: 'An app',
    kind: ClientKind.WEB,
    redirectUris: ['https://app.example.com/callback'],
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN],
    authMethod: ClientAuthMethod.CLIENT_SECRET_BASIC,
    ...given,
  })
}

let counter = 0

export async function someClient(deps: Deps, given: Partial<Omit<ClientSettings, '$typeName'>> = {}) {
  const clientId = `app-${++counter}`
  const { secret } = await createClient(deps, { tenant, clientId, settings: settingsOf(given) })
  return { clientId, secret }
}

/** Somebody who is signed in, and let a client do something. */
export interface Allowed {
  readonly user: User
  readonly sessionId: string
  readonly clientId: string
  readonly grantId: string
  /** What a token of the grant is about. */
  readonly about: Payload
}

export async function allow(
  opened: OpenedDeps,
  { offline = false, clientId, user: known }: { offline?: boolean; clientId?: string; user?: User } = {},
): Promise<Allowed> {
  const acts = createOidcActs(opened.deps)
  const user = known ?? (await somebody(opened))
  const { session } = await signSomebodyIn(opened.deps, user)
  const sessionId = session?.id ?? ''
  const client = clientId ?? (await someClient(opened.deps)).clientId
  const grantId = await acts.grants.ensure(tenant, { sessionId, clientId: client })
  const scope = offline ? 'openid offline_access' : 'openid'
  const payload = { accountId: user.id, clientId: client, openid: { scope } }
  if (!(await acts.grants.save(tenant, { id: grantId, sessionId, payload, ttlSeconds: 90 * 86_400 }))) throw new Error('not allowed')
  return {
    user,
    sessionId,
    clientId: client,
    grantId,
    about: { accountId: user.id, clientId: client, grantId, sessionUid: sessionId, expiresWithSession: !offline, scope },
  }
}

/** A token, code or cookie as the library makes them. */
export const newId = () => randomBytes(32).toString('base64url')

/** Fifty calls at once, over both replicas in turn. */
export async function fifty<T>(replicas: readonly OidcActs[], act: (acts: OidcActs) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: 50 }, (_, at) => act(replicas[at % replicas.length] as OidcActs)))
}
