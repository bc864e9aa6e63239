import { randomBytes } from 'node:crypto'
import { insertConnectionAttempt, takeConnectionAttempt } from '../../store/connections/connection-attempts.ts'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import { findTenant } from '../../store/tenants.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { redirectUriOf } from './connection-content.ts'
import { derivedOf, hashOf, keyOfState, newState } from './derived.ts'
import { enabledConnection } from './known-connections.ts'
import { type UpstreamAssertion, UpstreamAway, UpstreamUnbelieved } from './upstream-assertion.ts'
import type { Upstreams } from './upstreams.ts'

/** What signing in elsewhere stands on. */
export interface ConnectionDeps extends Deps {
  readonly upstreams: Upstreams
  /** Called after a commit that changed who is in which group. */
  readonly accessChanged: () => Promise<void>
}

const lifetimeMs = 10 * 60_000
export const attemptSeconds = lifetimeMs / 1000
const random = () => randomBytes(32).toString('base64url')
const randomForm = /^[\w-]{43}$/

/** For whom it is: nobody yet where it is a sign-in, else the session that links. */
export interface AttemptOwner {
  readonly userId: string | null
  readonly sessionId: string | null
}

export const nobodyYet: AttemptOwner = { userId: null, sessionId: null }

export interface BeginInput extends AttemptOwner {
  readonly tenant: string
  readonly connectionId: string
  /** That somebody typed. */
  readonly email: string
  /** What the browser keeps already, from another tab. */
  readonly browser: string
}

/** Where to send the browser, and what it is to keep: without that nothing comes of what it brings back. */
export async function beginAtConnection(deps: ConnectionDeps, input: BeginInput): Promise<{ url: string; browser: string }> {
  const { tenant, connectionId, email: loginHint, userId, sessionId } = input
  const connection = await enabledConnection(deps, tenant, connectionId)
  const state = newState(deps.challengeKeys.current)
  const browser = randomForm.test(input.browser) ? input.browser : random()
  const { nonce, challenge } = derivedOf(deps.challengeKeys.current, tenant, state)
  const redirectUri = redirectUriOf(await originOf(deps, tenant), connectionId)
  const departure = { redirectUri, state, nonce, challenge, loginHint }
  const url = await inWords(deps, connection, () => deps.upstreams(connection.kind).url(connection, departure))
  const time = new Date(deps.now())
  await insertConnectionAttempt(deps.db, {
    tenant,
    state_hash: hashOf(state),
    browser_hash: hashOf(browser),
    connection_id: connectionId,
    user_id: userId,
    session_id: sessionId,
    create_time: time,
    expire_time: new Date(time.getTime() + lifetimeMs),
  })
  return { url: url.href, browser }
}

export interface RedeemInput extends AttemptOwner {
  readonly tenant: string
  /** At whose redirect URI the answer came in. */
  readonly connectionId: string
  readonly state: string
  readonly code: string
  readonly iss: string
  readonly browser: string
}

/** Uses an attempt up and makes an assertion of what came back. Nothing is looked at before it is known that this browser asked for it, there and once. */
export async function redeem(
  deps: ConnectionDeps,
  input: RedeemInput,
): Promise<{ connection: ConnectionRow; assertion: UpstreamAssertion }> {
  const { tenant, connectionId, state, code, iss } = input
  const connection = await enabledConnection(deps, tenant, connectionId)
  const taken = await takeConnectionAttempt(deps.db, {
    tenant,
    state_hash: hashOf(state),
    browser_hash: hashOf(input.browser),
    connection_id: connectionId,
    user_id: input.userId,
    session_id: input.sessionId,
    time: new Date(deps.now()),
  })
  if (!taken) throw failed(deps, connection, 'nobody began this here')
  const { nonce, verifier } = derivedOf(keyOfState(deps.challengeKeys, state), tenant, state)
  const redirectUri = redirectUriOf(await originOf(deps, tenant), connectionId)
  const arrival = { redirectUri, state, code, iss, nonce, verifier }
  const assertion = await inWords(deps, connection, () => deps.upstreams(connection.kind).assertion(connection, arrival))
  return { connection, assertion }
}

/** What a provider does wrong is for the log: whoever came back is told no more than that it did. */
export async function inWords<T>(deps: Pick<Deps, 'log'>, connection: ConnectionRow, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof UpstreamUnbelieved) throw failed(deps, connection, error.message)
    if (!(error instanceof UpstreamAway)) throw error
    const { problem, cause } = error
    const told = { tenant: connection.tenant, connection: connection.connection_id, problem, cause: causesOf(cause) }
    deps.log.warn(told, 'a provider elsewhere does not answer as it should')
    throw refuse(ErrorReason.CONNECTION_UNREACHABLE, { problem }, { cause: error })
  }
}

export function failed({ log }: Pick<Deps, 'log'>, { tenant, connection_id: connection }: ConnectionRow, why: string) {
  log.warn({ tenant, connection, why }, 'a sign-in elsewhere was not believed')
  return refuse(ErrorReason.CONNECTION_LOGIN_FAILED)
}

function causesOf(error: unknown): string {
  const messages: string[] = []
  for (let each = error; each instanceof Error && messages.length < 5; each = each.cause) messages.push(each.message)
  return messages.join(': ')
}

/** Where the tenant's people sign in. */
export async function originOf({ db }: Pick<Deps, 'db'>, tenant: string): Promise<string> {
  const row = await findTenant(db, tenant)
  if (row === undefined) throw new Error(`there is no tenant ${tenant}`)
  return row.origin
}
