import assert from 'node:assert/strict'
import { readConfig } from '@gatehouse/config'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { createWorkloadSigner, type WorkloadSigner } from '@gatehouse/identity'
import { type App, migrationsOf } from '@gatehouse/service'
import { type TestNats, testDatabase, testNats, workloadKeys } from '@gatehouse/testkit'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { createApp } from '../src/app.ts'
import { rules, type UserConfig, variables } from '../src/config.ts'
import { migrations } from '../src/store/migrations/index.ts'
import { overGrpc, overWeb, type Users } from './clients.ts'
import { openStandInAuth, type StandInAuth, type TokenFor } from './stand-in-auth.ts'

export type WorkloadName = 'auth' | 'notification' | 'billing'

/** The user service with everything around it that is real, and auth's part played by a stand-in. */
export type Story = AsyncDisposable & {
  readonly config: UserConfig
  readonly app: App
  readonly auth: StandInAuth
  readonly nats: TestNats
  /** Of the superuser, to look from outside. */
  readonly adminDatabaseUrl: string
  /** Where the tenant's web door is: `default` and `acme` have hosts of their own. */
  readonly origin: (tenant: string) => string
  /** Over gRPC, as a workload about a tenant; with a person, for that person. */
  readonly asWorkload: (name: WorkloadName, tenant?: string, person?: TokenFor) => Promise<Users>
  /** Makes the tokens of a workload. */
  readonly signerOf: (name: WorkloadName) => WorkloadSigner
  /** Over gRPC as a person alone, or as nobody. */
  readonly asPerson: (person?: TokenFor) => Promise<Users>
  /** Over the web door of the person's tenant, or as nobody over that of `default`. */
  readonly inBrowser: (person?: TokenFor) => Promise<Users>
  readonly register: (fields?: { tenant?: string; name?: string; email?: string }) => Promise<User>
}

export const everyPermission = ['user.users.create', 'user.users.read', 'user.users.update', 'user.users.suspend', 'user.users.delete']

/** Somebody who may everything in a tenant, and is no person of it. */
export const administrator = (tenant = 'default'): TokenFor => ({ tenant, id: uuidv7(), permissions: everyPermission })

const hosts: Record<string, string> = { default: '127.0.0.1', acme: 'localhost' }
const workloads = ['user', 'auth', 'notification', 'billing']

export async function openStory(): Promise<Story> {
  await using parts = new AsyncDisposableStack()
  const keys = parts.use(await workloadKeys(workloads))
  const database = parts.use(await testDatabase({ service: 'user', sets: migrationsOf(migrations) }))
  const nats = parts.use(await testNats())
  const auth = parts.use(await openStandInAuth(keys.jwksFile))
  const config = readConfig(
    variables,
    {
      GATEHOUSE_MODE: 'test',
      PUBLIC_ORIGIN: 'http://localhost:8080',
      LISTEN_HOST: '127.0.0.1',
      GRPC_PORT: '0',
      WEB_PORT: '0',
      METRICS_PORT: '0',
      DATABASE_URL: database.url,
      NATS_URL: nats.url,
      WORKLOAD_KEY_FILE: keys.fileOf('user'),
      WORKLOAD_JWKS_FILE: keys.jwksFile,
      AUTH_URL: `127.0.0.1:${auth.port}`,
      REQUEST_KEY: Buffer.alloc(32, 7).toString('base64'),
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
    },
    rules,
  )
  const app = parts.use(await createApp(config))
  const origin = (tenant: string): string => `http://${hosts[tenant]}:${app.ports.web}`
  auth.tellOrigins(new Map(Object.keys(hosts).map((tenant) => [tenant, origin(tenant)])))

  const signers = new Map(await Promise.all(workloads.map(async (name) => [name, await createWorkloadSigner(keys.fileOf(name))] as const)))
  const bearer = async (person?: TokenFor): Promise<Record<string, string>> =>
    person ? { authorization: `Bearer ${await auth.tokenFor(person)}` } : {}
  const grpc = async (headers: Record<string, string>, name?: WorkloadName): Promise<Users> => {
    const { users, transport } = overGrpc(`127.0.0.1:${app.ports.grpc}`, headers, name && signers.get(name))
    clients.use(transport)
    return users
  }
  const clients = parts.use(new AsyncDisposableStack())
  const asWorkload: Story['asWorkload'] = async (name, tenant = 'default', person) =>
    grpc({ 'gatehouse-tenant': tenant, ...(await bearer(person)) }, name)
  const owned = parts.move()
  return {
    config,
    app,
    auth,
    nats,
    adminDatabaseUrl: database.adminUrl,
    origin,
    asWorkload,
    signerOf: (name) => signers.get(name) ?? assert.fail(name),
    asPerson: async (person) => grpc(await bearer(person)),
    inBrowser: async (person) => overWeb(origin(person?.tenant ?? 'default'), person && (await auth.tokenFor(person))),
    async register({ tenant = 'default', name = 'Ada Lovelace', email = `${uuidv4()}@example.com` } = {}) {
      const { user } = await (await asWorkload('auth', tenant)).registerUser({ id: uuidv7(), name, email })
      if (!user) throw new Error('RegisterUser answered nobody')
      return user
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
