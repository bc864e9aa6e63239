import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Payload, RecordKind } from '../core/oidc/oidc-parts.ts'
import { currentRoute } from './current-context.ts'
import { translated } from './error-of.ts'
import type { ProviderParts } from './oidc-deps.ts'
import { register, registrationTokenAdapter } from './registration.ts'
import { sessionAdapter } from './session-adapter.ts'

type AdapterParts = Pick<ProviderParts, 'acts' | 'tenant' | 'jwks'>

/** Where the library keeps what: each of its models in what core does for it. */
export function adapterOf(parts: AdapterParts): AdapterFactory {
  const special: Readonly<Record<string, Partial<Adapter>>> = {
    Client: clientAdapter(parts),
    Grant: grantAdapter(parts),
    Session: sessionAdapter(parts),
    InitialAccessToken: registrationTokenAdapter(parts),
    // None is ever given: nobody manages themselves.
    RegistrationAccessToken: { find: async () => undefined },
    // Proofs and assertions are counted by one statement that the override makes.
    ReplayDetection: {},
  }
  return (name) => translatedAdapter({ ...unused(name), ...(special[name] ?? recordAdapter(parts, name as RecordKind)) })
}

function clientAdapter({ acts, tenant, jwks }: AdapterParts): Partial<Adapter> {
  return {
    async find(id) {
      const client = await acts.clients.known(tenant, id)
      if (client === undefined) return undefined
      // This replica has not read its key yet, or does not open it. Nothing is used up before the client is known.
      if (client.id_token_signed_response_alg === 'RS256' && !jwks.some(({ alg }) => alg === 'RS256'))
        throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'keys' })
      // The library wants one of whoever authenticates with a secret. Ours are hashes, which it is never given.
      const withSecret = /^client_secret_/.test(String(client.token_endpoint_auth_method ?? 'client_secret_basic'))
      return { ...client, ...(withSecret && { client_secret: 'kept as a hash' }) }
    },
    upsert: (id) => register({ acts, tenant }, id),
  }
}

function grantAdapter({ acts, tenant }: AdapterParts): Partial<Adapter> {
  return {
    async find(id) {
      return payloadOf(await acts.grants.find(tenant, id))
    },
    async upsert(id, payload, ttlSeconds = 0) {
      const { sessionUid, ...rest } = payload
      if (typeof sessionUid !== 'string') throw new TypeError('a grant is given in a session')
      const saved = await acts.grants.save(tenant, { id, sessionId: sessionUid, payload: rest, ttlSeconds })
      if (!saved) throw new errors.InvalidGrant({ detail: 'the grant has ended meanwhile' })
    },
    async destroy(id) {
      await acts.grants.end(tenant, { ids: [id] }, causeOfEnd())
    },
  }
}

/** Why the library ends a grant follows from where it does. */
function causeOfEnd() {
  const route = currentRoute()
  if (route === 'token') return 'token_reused'
  return route === 'end_session_confirm' ? 'session_ended' : 'revoked'
}

function recordAdapter({ acts, tenant }: AdapterParts, kind: RecordKind): Partial<Adapter> {
  return {
    async find(id) {
      const found = await acts.records.find(tenant, kind, id, { refs: isResumed() })
      if (kind === 'DeviceCode' && found !== undefined && currentRoute() === 'token') await assertMayPoll(id)
      return payloadOf(found)
    },
    async findByUserCode(userCode) {
      return payloadOf(await acts.records.findByUserCode(tenant, userCode))
    },
    async upsert(id, payload, ttlSeconds = 0) {
      const saved = await acts.records.save(tenant, kind, id, payload, ttlSeconds)
      if (saved === 'taken') throw new errors.InvalidRequest('the code has been used')
    },
    async consume(id) {
      const consumed = await acts.records.consume(tenant, kind, id)
      if (consumed === 'consumed') return
      throw kind === 'PushedAuthorizationRequest'
        ? new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
        : new errors.InvalidGrant({ detail: `${kind} ${consumed}` })
    },
    async destroy(id) {
      await acts.records.destroy(tenant, kind, id)
    },
    // Whatever hangs on a grant is found under a living one only: the grant's own end is all that has to be written.
    async revokeByGrantId() {},
  }

  async function assertMayPoll(id: string): Promise<void> {
    if (!(await acts.records.mayPoll(tenant, id))) throw new errors.SlowDown()
  }
}

/** Where an interaction goes on, ids come out of its own record and not out of the client's mouth. */
function isResumed(): boolean {
  return currentRoute()?.endsWith('resume') === true
}

export function payloadOf(payload: Payload | undefined): AdapterPayload | undefined {
  return payload === undefined ? undefined : { ...payload }
}

function unused(name: string): Adapter {
  const refuse = (what: string) => () => Promise.reject(new TypeError(`${what} is not part of how ${name} is kept`))
  return {
    find: refuse('find'),
    findByUid: refuse('findByUid'),
    findByUserCode: refuse('findByUserCode'),
    upsert: refuse('upsert'),
    consume: refuse('consume'),
    destroy: refuse('destroy'),
    revokeByGrantId: refuse('revokeByGrantId'),
  }
}

function translatedAdapter(adapter: Adapter): Adapter {
  return {
    find: (id) => translated(async () => adapter.find(id)),
    findByUid: (uid) => translated(async () => adapter.findByUid(uid)),
    findByUserCode: (code) => translated(async () => adapter.findByUserCode(code)),
    upsert: (id, payload, ttl) => translated(async () => adapter.upsert(id, payload, ttl)),
    consume: (id) => translated(async () => adapter.consume(id)),
    destroy: (id) => translated(async () => adapter.destroy(id)),
    revokeByGrantId: (id) => translated(async () => adapter.revokeByGrantId(id)),
  }
}
