import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { ErrorReason, ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { type User, User_State, UserSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type Person, TokenInvalid } from '@gatehouse/identity'
import { type Call, callOf } from '../call.ts'
import { createPipeline, type PipelineOptions } from '../pipeline.ts'
import { refusals } from '../refusal.ts'
import { createWebDoor, type WebDoor, type WebDoorOptions } from './web-door.ts'

export const ADA = '0190a0de-0000-7000-8000-000000000001'
export const ORIGIN = 'https://id.example.com'
/** Signs in as an administrator. */
export const AUTHORIZATION = { authorization: 'Bearer ada' }

const refuse = refusals(ErrorReasonSchema)

const ada: Person = {
  kind: 'person',
  id: ADA,
  tenant: 'default',
  sessionId: 's',
  generation: 0,
  strength: 1,
  // Signed in this moment, as RPCs with a step-up ask for.
  authTime: Date.now(),
  clientId: 'console',
  permissions: new Set(['user.users.create', 'user.users.read', 'user.users.suspend']),
  expireTime: Date.now() + 3_600_000,
}

export interface TestDoor extends AsyncDisposable {
  readonly door: WebDoor
  readonly url: string
  /** The calls that reached a handler, in their order. */
  readonly calls: Call[]
  /** Log lines above `info`. */
  readonly faults: string[]
  /** What `WatchInbox` and a slow `ListUsers` wait for. */
  readonly gate: PromiseWithResolvers<void>
}

export type TestDoorOptions = Partial<WebDoorOptions> & Pick<PipelineOptions, 'slowReaderSeconds'>

/** A web door over real services' contracts, with handlers that live in memory. */
export async function openTestDoor({ slowReaderSeconds, ...options }: TestDoorOptions = {}): Promise<TestDoor> {
  const calls: Call[] = []
  const faults: string[] = []
  const gate = Promise.withResolvers<void>()
  const log = {
    debug() {},
    info() {},
    warn: (fields: object, message: string) => faults.push(`${message} ${JSON.stringify(fields)}`),
    error: (fields: object, message: string) => faults.push(`${message} ${JSON.stringify(fields)}`),
  }
  const pipeline = createPipeline({
    service: 'user',
    log,
    limits: { take: async () => ({ allowed: true }) },
    accessTokens: {
      async verify(token) {
        if (token !== 'ada') throw new TokenInvalid('unknown')
        return ada
      },
    },
    workloads: { verify: async () => 'auth' },
    tenantOfHost: (host) => (host.startsWith('unknown') ? undefined : 'default'),
    strict: true,
    ...(slowReaderSeconds !== undefined && { slowReaderSeconds }),
  })
  const door = await createWebDoor({
    services: [
      pipeline.guard(UserService, userImpl(calls, gate.promise)),
      pipeline.guard(SessionService, sessionImpl(calls)),
      pipeline.guard(InboxService, inboxImpl(calls, gate.promise)),
      pipeline.guard(IssuerService, { listIssuers: () => ({}) }),
    ],
    host: '127.0.0.1',
    port: 0,
    allowedOrigins: [ORIGIN],
    trustedProxies: [],
    log,
    ...options,
  })
  return {
    door,
    url: `http://127.0.0.1:${door.port}`,
    calls,
    faults,
    gate,
    async [Symbol.asyncDispose]() {
      gate.resolve()
      await door[Symbol.asyncDispose]()
    },
  }
}

function userOf(id: string, changes: Partial<Pick<User, 'name' | 'email' | 'state'>> = {}): User {
  return create(UserSchema, {
    id,
    name: 'Ada',
    email: 'ada@example.com',
    state: User_State.ACTIVE,
    createTime: timestampFromMs(0),
    version: 1n,
    ...changes,
  })
}

const unused = (): never => {
  throw new Error('This handler is not part of the test')
}

function userImpl(calls: Call[], gate: Promise<void>): ServiceImpl<typeof UserService> {
  return {
    createUser: (request, context) => {
      calls.push(callOf(context))
      return { user: userOf(ADA, { name: request.name, email: request.email, state: User_State.INVITED }) }
    },
    getUser: (request, context) => {
      calls.push(callOf(context))
      if (request.id !== ADA) throw refuse(ErrorReason.USER_NOT_FOUND)
      return { user: userOf(ADA) }
    },
    batchGetUsers: (request) => ({ users: request.ids.map((id) => userOf(id)) }),
    getCurrentUser: (_request, context) => {
      calls.push(callOf(context))
      return { user: userOf(callOf(context).person().id) }
    },
    listUsers: async (request, context) => {
      calls.push(callOf(context))
      if (request.pageToken === 'wait') await gate
      if (request.pageToken === 'break') throw new Error('secret detail')
      return { users: [userOf(ADA)], nextPageToken: `${request.pageSize}/${request.newestFirst}` }
    },
    searchUsers: (request) => ({ users: [userOf(ADA, { name: request.query })] }),
    updateUser: (request) => ({ user: userOf(request.id, { name: request.name ?? 'unchanged' }) }),
    suspendUser: (request) => ({ user: userOf(request.id, { state: User_State.SUSPENDED }) }),
    reactivateUser: unused,
    deleteUser: () => ({}),
    resolveUser: unused,
    registerUser: unused,
    activateUser: unused,
    changeUserEmail: unused,
    watchUsers: unused,
  }
}

function sessionImpl(calls: Call[]): ServiceImpl<typeof SessionService> {
  return {
    signIn: unused,
    continueSignIn: unused,
    beginStepUp: unused,
    completeStepUp: unused,
    refreshSession: (request, context) => {
      const call = callOf(context)
      calls.push(call)
      const token = request.refreshToken === '' ? call.cookies.get('__Host-session') : request.refreshToken
      if (request.refreshToken === '') call.cookies.set('__Host-session', `${token}+1`, { maxAgeSeconds: 60 })
      return { signedIn: { refreshToken: token ?? 'none' } }
    },
    signOut: (_request, context) => {
      callOf(context).cookies.clear('__Host-session')
      return {}
    },
    listSessions: unused,
    revokeSession: unused,
    revokePersonSessions: unused,
    revokeOtherSessions: unused,
    revokeSessionsOfUser: unused,
    getDeviceTrust: unused,
    forgetTrustedDevices: unused,
    issueToken: unused,
    watchRevocations: unused,
  }
}

function inboxImpl(calls: Call[], gate: Promise<void>): ServiceImpl<typeof InboxService> {
  return {
    listInboxItems: unused,
    markInboxItemsRead: unused,
    async *watchInbox(request, context) {
      calls.push(callOf(context))
      yield { cursor: `${request.cursor}1`, items: [{ id: ADA, title: 'Welcome' }] }
      if (request.cursor === 'wait') await gate
      while (request.cursor === 'endless') yield { cursor: 'x'.repeat(60_000) }
      yield { cursor: `${request.cursor}2` }
    },
  }
}
