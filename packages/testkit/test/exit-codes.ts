import type { Local } from '@gatehouse/local'
import { exitCodeOf, isExpected } from '../../cli/src/exit-code.ts'
import { findCommands, type Owned } from '../../cli/src/find-command.ts'
import { commandsOf } from './operate.ts'

type Env = Readonly<Record<string, string>>

const nowhere = ['--tenant', 'nowhere']
const missing = '/nowhere/at-all.json'
const files = ['--jwks', missing, '--key', missing]
const databaseAway: Env = { DATABASE_URL: 'postgres://user:a-secret-word@127.0.0.1:1/gatehouse' }
const natsAway: Env = { NATS_URL: 'nats://user:a-secret-word@127.0.0.1:1' }

const client = JSON.stringify({
  name: 'An app',
  kind: 'CLIENT_KIND_SERVICE',
  grantTypes: ['CLIENT_GRANT_TYPE_CLIENT_CREDENTIALS'],
  authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
})

/** For each command: words that ask for what is not there, or a server that is away, and words that are wrong. */
export const calls: Readonly<Record<string, { readonly vain: readonly string[]; readonly env?: Env; readonly wrong?: readonly string[] }>> =
  {
    migrate: { vain: [], env: databaseAway, wrong: ['x'] },
    'outbox status': { vain: [], env: natsAway, wrong: ['x'] },
    'outbox replay': { vain: ['--stream'], env: natsAway, wrong: ['--since', '2999-01-01T00:00:00Z'] },
    'dead-letters list': { vain: [], env: databaseAway, wrong: ['x'] },
    'dead-letters show': { vain: ['nobody'], wrong: [] },
    'dead-letters retry': { vain: ['nobody'], wrong: [] },
    'dead-letters drop': { vain: ['nobody'], wrong: [] },
    doctor: { vain: [], env: natsAway, wrong: ['x'] },
    'connections create': {
      vain: ['x', '{"name": "X", "clientId": "c"}', '--issuer', 'https://idp.example', ...nowhere],
      wrong: ['x', 'no JSON'],
    },
    'connections update': { vain: ['nobody', '{}'], wrong: [] },
    'connections list': { vain: nowhere, wrong: ['x'] },
    'connections show': { vain: ['nobody'], wrong: [] },
    'connections test': { vain: ['nobody'], wrong: [] },
    'connections disable': { vain: ['nobody'], wrong: [] },
    'connections enable': { vain: ['nobody'], wrong: [] },
    'connections delete': { vain: ['nobody', ...nowhere], wrong: [] },
    'tenants create': { vain: ['default', '--origin', 'https://elsewhere.example'], wrong: ['default'] },
    'tenants list': { vain: [], env: databaseAway, wrong: ['x'] },
    'keys list': { vain: nowhere, wrong: ['x'] },
    'keys rotate': { vain: nowhere, wrong: ['x'] },
    'keys revoke': { vain: ['nobody'], wrong: [] },
    'keys reencrypt': { vain: [], env: databaseAway, wrong: ['x'] },
    'workload-keys create': { vain: ['billing', ...files], wrong: ['billing'] },
    'workload-keys rotate': { vain: files, wrong: ['--jwks', missing] },
    'workload-keys retire': { vain: ['nobody', '--jwks', missing], wrong: ['--jwks', missing] },
    'workload-keys list': { vain: ['--jwks', missing], wrong: [] },
    'audit export': { vain: nowhere, wrong: ['x'] },
    'audit checkpoints': { vain: nowhere, wrong: ['x'] },
    'audit verify': { vain: ['--checkpoints', missing], wrong: ['x'] },
    'audit prune': { vain: ['--before', '2026-01-01T00:00:00Z', ...nowhere], wrong: [] },
    'service-accounts create': { vain: ['robot', ...nowhere], wrong: ['No'] },
    'service-accounts list': { vain: nowhere, wrong: ['x'] },
    'service-accounts disable': { vain: ['nobody'], wrong: [] },
    'service-accounts enable': { vain: ['nobody'], wrong: [] },
    'service-accounts delete': { vain: ['nobody'], wrong: [] },
    'api-keys create': { vain: ['nobody', '--scopes', 'user.users.read'], wrong: ['nobody'] },
    'api-keys list': { vain: ['nobody'], wrong: [] },
    'api-keys rotate': { vain: ['0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'], wrong: ['nobody'] },
    'api-keys revoke': { vain: ['0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'], wrong: ['nobody'] },
    'workloads register': { vain: ['shop', '--calls', 'gatehouse.auth.v1.ChallengeService'], wrong: ['user'] },
    'workloads list': { vain: [], env: databaseAway, wrong: ['x'] },
    'workloads unregister': { vain: ['nobody'], wrong: [] },
    'auth import-passwords': { vain: [missing, ...nowhere], wrong: [] },
    'auth breach-filter': { vain: [missing, '--out', '/nowhere/at-all.filter'], wrong: [] },
    'roles list': { vain: nowhere, wrong: ['x'] },
    'roles bind': { vain: ['administrator', '0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'], wrong: ['nobody'] },
    'roles unbind': { vain: ['administrator', '0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'], wrong: ['nobody'] },
    'clients create': { vain: ['app', client, ...nowhere], wrong: ['app', '{'] },
    'clients update': { vain: ['nobody', '{}'], wrong: [] },
    'clients list': { vain: nowhere, wrong: ['x'] },
    'clients show': { vain: ['nobody'], wrong: [] },
    'clients rotate': { vain: ['nobody'], wrong: [] },
    'clients disable': { vain: ['nobody'], wrong: [] },
    'clients enable': { vain: ['nobody'], wrong: [] },
    'clients registration-token': { vain: nowhere, env: { OIDC_REGISTRATION: 'true' }, wrong: ['x'] },
    'clients end-registration-token': { vain: ['goi_nobody'], wrong: [] },
    'clients delete': { vain: ['nobody'], env: databaseAway, wrong: [] },
    'resources add': { vain: ['urn:orders', '--scopes', 'read', ...nowhere], wrong: ['urn:orders'] },
    'resources list': { vain: nowhere, wrong: ['x'] },
    'resources remove': { vain: ['urn:nobody'], wrong: [] },
    'policy show': { vain: nowhere, wrong: ['x'] },
    'policy set': { vain: ['{}', ...nowhere], wrong: ['{"passwordMinLength": 7}'] },
    'audiences add': { vain: ['orders', ...nowhere], wrong: [] },
    'admin invite': { vain: ['a@example.com', ...nowhere], wrong: ['nobody'] },
    'dev person': { vain: ['a@example.com', ...nowhere], wrong: ['nobody'] },
    'dev admin-token': { vain: nowhere, wrong: ['x'] },
    'mail failed': { vain: [], env: databaseAway, wrong: ['x'] },
    'mail retry': { vain: ['0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'], wrong: ['nobody'] },
    'user import': { vain: [missing], wrong: [] },
  }

/** Every command that there is, once for each service that has it. */
export const everyCommand: readonly Owned[] = Object.entries(commandsOf).flatMap(([service, commands]) =>
  commands.map((command) => ({ service, command })),
)

/** The exit code that the words would have of a process; throws what is a fault of ours. */
export async function exitCode(local: Pick<Local, 'environment'>, { service, command }: Owned, words: readonly string[], env: Env = {}) {
  try {
    const own = everyCommand.filter((each) => each.service === service)
    for (const called of findCommands(own, [...command.name.split(' '), ...words]))
      await called.command.run(called.args, { ...local.environment(service as keyof typeof commandsOf), ...env })
    return 0
  } catch (error) {
    if (!isExpected(error)) throw error
    return exitCodeOf(error)
  }
}
