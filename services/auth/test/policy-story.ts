import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type Client, ConnectError } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import type { App } from '@gatehouse/service'
import { sql } from 'kysely'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openStory, type Story } from './open-story.ts'
import { codeOf } from './totp-code.ts'

/** Metadata that names a tenant, for workloads. */
export const tenantOf = (tenant: string) => ({ 'gatehouse-tenant': tenant })

/** The auth service with tenants of their own, each with an administrator and a member. */
export interface PolicyStory extends Story {
  readonly password: string
  tenant(): Promise<{
    tenant: string
    adminToken: string
    admin: Client<typeof PolicyService>
    adminAt(app: App): Promise<Client<typeof PolicyService>>
    member: User
  }>
  /** Another replica, the same one each time but the first. */
  replica(): Promise<App>
  person(tenant: string): Promise<User>
  startSignIn(
    tenant: string,
    email: string,
    app?: App,
  ): Promise<{ case: string | undefined; value?: SignedInResult | NextStep | undefined }>
  signIn(tenant: string, email: string, app?: App): Promise<SignedInResult>
  withTotp(tenant: string, member: User): Promise<{ secret: string; recoveryCodes: string[] }>
  signInWithTotp(tenant: string, member: User, secret: string, later: number): Promise<SignedInResult>
  refresh(tenant: string, refreshToken: string, app?: App): Promise<SignedInResult>
  accounts(accessToken: string, app?: App): Promise<Client<typeof AccountService>>
  requestReset(tenant: string, email: string, app?: App): Promise<unknown>
  signUp(tenant: string, password: string): Promise<unknown>
  /** Sets a session back by so many seconds. */
  age(sessionId: string | undefined, by: { lastUse?: number; created?: number }): Promise<void>
  /** Reason and first field of a refusal. */
  refusal(call: Promise<unknown>): Promise<[string, string]>
  /** Whether the first message of a watch ends its snapshot. */
  firstOf(messages: AsyncIterable<{ snapshotComplete: boolean }>): Promise<boolean>
}

export async function openPolicyStory(): Promise<PolicyStory> {
  const story = await openStory()
  const password = 'correct horse battery'
  const passwordHash = await createHashPool().hash(password)
  const keys = createKeyRing({ db: story.db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  const batches = createBatches({ db: story.db, users: story.people.users })
  const lifetimes = { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 }
  const deps = { db: story.db, batches, keys, now: Date.now, lifetimes }
  let counter = 0
  let second: Promise<App> | undefined
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  // Nobody's calls name their tenant over gRPC: a workload without permissions says it for them.
  const sessions = (tenant: string, app?: App) => story.grpc(SessionService, tenantOf(tenant), 'billing', app)

  const policies: PolicyStory = {
    ...story,
    password,
    async tenant() {
      const tenant = `tenant-${++counter}`
      await createTenant(deps, { id: tenant, origin: `http://${tenant}.test` })
      const { token } = await mintAdministratorToken(deps, { tenant, name: 'robot' })
      const adminAt = (app?: App) => story.grpc(PolicyService, bearer(token), undefined, app)
      for (const app of [story.app, ...(second ? [await second] : [])]) await untilKnown(await adminAt(app))
      return { tenant, adminToken: token, admin: await adminAt(), adminAt, member: await policies.person(tenant) }
    },
    replica: () => {
      second ??= story.startReplica()
      return second
    },
    async person(tenant) {
      const user = story.people.add(tenant, { email: `policies-${++counter}@example.com` })
      await insertCredential(story.db, { tenant, userId: user.id, passwordHash, time: new Date() })
      return user
    },
    async startSignIn(tenant, email, app) {
      return (await (await sessions(tenant, app)).signIn({ email, password })).result
    },
    async signIn(tenant, email, app) {
      const { case: kind, value } = await policies.startSignIn(tenant, email, app)
      assert.equal(kind, 'signedIn')
      return value as SignedInResult
    },
    async withTotp(tenant, member) {
      const { accessToken } = await policies.signIn(tenant, member.email)
      const factors = await story.grpc(FactorService, bearer(accessToken))
      const { secret } = await factors.beginTotp({})
      return { secret, ...(await factors.confirmTotp({ code: codeOf(secret) })) }
    },
    async signInWithTotp(tenant, member, secret, later) {
      const { case: kind, value } = await policies.startSignIn(tenant, member.email)
      assert.equal(kind, 'nextStep')
      const proof = { proof: { case: 'totpCode', value: codeOf(secret, later) } } as const
      const { result } = await (await sessions(tenant)).continueSignIn({ continuation: (value as NextStep).continuation, proof })
      assert.equal(result.case, 'signedIn')
      return result.value as SignedInResult
    },
    async refresh(tenant, refreshToken, app) {
      const { signedIn } = await (await sessions(tenant, app)).refreshSession({ refreshToken })
      assert.ok(signedIn)
      return signedIn
    },
    accounts: (accessToken, app) => story.grpc(AccountService, bearer(accessToken), undefined, app),
    async requestReset(tenant, email, app) {
      return await (await story.grpc(AccountService, tenantOf(tenant), 'billing', app)).requestPasswordReset({
        email,
        requestId: randomUUID(),
      })
    },
    async signUp(tenant, given) {
      const accounts = await story.grpc(AccountService, tenantOf(tenant), 'billing')
      return await accounts.signUp({ email: `new-${++counter}@example.com`, name: 'New', password: given })
    },
    async age(sessionId, { lastUse = 0, created = 0 }) {
      await sql`update sessions set
        last_use_time = last_use_time - ${lastUse}::integer * interval '1 second',
        create_time = create_time - ${created}::integer * interval '1 second'
        where id = ${sessionId}`.execute(story.db)
    },
    async refusal(call) {
      try {
        await call
      } catch (error) {
        const failure = ConnectError.from(error)
        const [info] = failure.findDetails(ErrorInfoSchema)
        const [bad] = failure.findDetails(BadRequestSchema)
        return [info?.reason ?? failure.message, bad?.fieldViolations[0]?.field ?? '']
      }
      throw new Error('the call was answered')
    },
    async firstOf(messages) {
      for await (const { snapshotComplete } of messages) return snapshotComplete
      throw new Error('the stream ended')
    },
  }
  return policies
}

/** Replicas look for new tenants every few seconds; a token that they do not know makes them look at once. */
async function untilKnown(client: Client<typeof PolicyService>): Promise<void> {
  const end = Date.now() + 15_000
  for (;;) {
    try {
      await client.getPolicy({})
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
