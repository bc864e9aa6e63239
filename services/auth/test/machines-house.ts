import { Code, ConnectError } from '@connectrpc/connect'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import type { App } from '@gatehouse/service'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { bindRole } from './bind-role.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The reason of a refusal; `ok` for an answer. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    const failure = ConnectError.from(error)
    return failure.findDetails(ErrorInfoSchema)[0]?.reason ?? Code[failure.code]
  }
}

/** Two replicas of auth unless one is enough, two tenants, and administrators' tokens. */
export async function openMachines({ alone = false } = {}) {
  const story = await openStory()
  const other = alone ? story.app : await story.startReplica()
  const now = Date.now
  const keys = createKeyRing({ db: story.db, now, encryptionKey: Buffer.alloc(32, 8) })
  const batches = createBatches({ db: story.db, users: story.people.users })
  const deps = {
    db: story.db,
    batches,
    keys,
    now,
    lifetimes: { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 },
  }
  await createTenant({ db: story.db, keys, now }, { id: 'acme', origin: 'http://acme.localhost:8080' })
  const adminOf = async (tenant: string) => (await mintAdministratorToken(deps, { tenant, name: 'root' })).token
  const admin = await adminOf('default')
  return {
    story,
    deps,
    replicas: [story.app, other] as const,
    admin,
    adminOf,
    accounts: await story.grpc(ServiceAccountService, bearer(admin)),
    async [Symbol.asyncDispose]() {
      await story[Symbol.asyncDispose]()
    },
  }
}

export type Machines = Awaited<ReturnType<typeof openMachines>>

let counter = 0

/** An account that is an administrator, so that its keys may what their scopes say. */
export async function accountOf({ accounts, story, replicas, admin }: Machines): Promise<string> {
  const { serviceAccount } = await accounts.createServiceAccount({ name: `robot-${++counter}` })
  const id = serviceAccount?.id ?? ''
  await bindRole(story.db, { tenant: 'default', subject_id: id, role: 'administrator' })
  const question = { principalId: id, permission: 'auth.service_accounts.read' }
  for (const app of replicas) {
    const access = await story.grpc(AccessService, bearer(admin), undefined, app)
    await until(async () => (await access.explainCheck(question)).allowed)
  }
  return id
}

/** Lists the accounts with this credential over gRPC; what came of it. */
export async function tryGrpc(story: Story, app: App, token: string, headers: Record<string, string> = {}): Promise<string> {
  const accounts = await story.grpc(ServiceAccountService, { ...bearer(token), ...headers }, undefined, app)
  return await outcome(accounts.listServiceAccounts({}))
}

/** The same over the web door. */
export async function tryWeb(app: App, token: string, origin?: string): Promise<string> {
  const answer = await openBrowser(app.ports.web, origin).call('ServiceAccountService/ListServiceAccounts', {}, bearer(token))
  return answer.status === 200 ? 'ok' : (answer.reason ?? String(answer.status))
}
