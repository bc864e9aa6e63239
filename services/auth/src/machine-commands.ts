import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { duration } from '@gatehouse/config'
import { administratorRole, keyFileIssuer } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { print } from '@gatehouse/service'
import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import { createApiKey, defaultLifetimeSeconds } from './core/api-keys/create-api-key.ts'
import type { KeyLimit } from './core/api-keys/make-api-key.ts'
import { revokeApiKey } from './core/api-keys/revoke-api-key.ts'
import { defaultOverlapSeconds, rotateApiKey } from './core/api-keys/rotate-api-key.ts'
import { audit } from './core/audit/audit.ts'
import { giveRole } from './core/bindings/give-role.ts'
import { deleteServiceAccount, disableServiceAccount } from './core/service-accounts/change-service-account.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { registerWorkload, unregisterWorkload } from './core/workloads/register-workload.ts'
import type { Operator } from './operator.ts'
import { listApiKeys } from './store/api-keys.ts'
import { findServiceAccountByName, insertServiceAccount, listServiceAccounts, type ServiceAccountRow } from './store/service-accounts.ts'
import { listWorkloads } from './store/workloads.ts'

type Options = Readonly<Record<string, string>>
type Act = (operator: Operator, words: readonly string[], options: Options) => Promise<void>

/** How the service's commands are run, and how they read their words. */
export interface CommandFrame {
  readonly operated: (act: Act) => Command['run']
  readonly word: (words: readonly string[], what: string) => string
  readonly none: (words: readonly string[]) => void
}

const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** More than anybody has. */
const everybody = 100_000

async function accountOf({ deps }: Operator, name: string, tenant: string): Promise<ServiceAccountRow> {
  const account = await findServiceAccountByName(deps.db, { tenant, name })
  if (!account) throw new CommandFailed(`${tenant} has no service account ${name}: gatehouse service-accounts list`)
  return account
}

function listOf(text: string | undefined, flag: string, example: string): string[] {
  const items = [...new Set((text ?? '').split(',').map((each) => each.trim()))].filter((each) => each !== '')
  if (items.length === 0) throw new CommandProblem(`--${flag} is missing: ${example}`)
  return items
}

function secondsOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  try {
    const ms = duration({ about: '' }).parse(text)
    if (ms < 1000 || ms > 10 * 365 * 86_400_000) throw new Error('has to be from 1s to ten years')
    return Math.floor(ms / 1000)
  } catch (error) {
    throw new CommandProblem(`--${flag} ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function limitOf(text: string | undefined): KeyLimit | undefined {
  if (text === undefined) return undefined
  const [, count = '', window = ''] = /^([1-9]\d{0,6})\/(\w+)$/.exec(text) ?? []
  if (count === '') throw new CommandProblem('--limit takes calls and window: --limit 600/1m.')
  return { count: Number(count), windowSeconds: secondsOf(window, 'limit') ?? 60 }
}

function keyId(words: readonly string[], frame: CommandFrame): string {
  const id = frame.word(words, 'the id of one key (gatehouse api-keys list ACCOUNT)')
  if (!isUuid(id))
    throw new CommandProblem(`${id} is no id of a key. A key itself belongs on no command line: gatehouse api-keys list ACCOUNT`)
  return id
}

/** What an operator does with service accounts, their keys, and other teams' workloads. */
export function machineCommands(frame: CommandFrame): readonly Command[] {
  const { operated, word, none } = frame
  return [
    {
      name: 'service-accounts create',
      usage: 'NAME [--description TEXT] [--role administrator] [--tenant ID]',
      summary: 'makes an account for a program; it may do nothing until a role is bound to it',
      run: operated(async ({ deps }, words, { tenant = defaultTenant, description = '', role }) => {
        const name = word(words, 'one name')
        if (!namePattern.test(name)) throw new CommandProblem(`${name} cannot be a name: small letters, digits and hyphens.`)
        if (role !== undefined && role !== administratorRole) throw new CommandProblem(`There is no role ${role}.`)
        const id = await transact(deps.db, async (tx) => {
          const account = await insertServiceAccount(tx, { tenant, id: uuidv7(), name, description })
          if (!account) throw new CommandFailed(`${tenant} has a service account ${name}.`)
          await audit(tx, { tenant, kind: 'service_account_create', subjectId: account.id, details: { name } })
          if (role !== undefined) await giveRole(tx, { tenant, role, kind: 'service_account', subjectId: account.id })
          return account.id
        })
        print(`${id} is ${name}${role === undefined ? '' : `, ${role}`}`)
      }),
    },
    {
      name: 'service-accounts list',
      usage: '[--tenant ID]',
      summary: 'lists the accounts of programs',
      run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
        none(words)
        for (const { id, name, description, disable_time: disabled } of await listServiceAccounts(deps.db, {
          tenant,
          after: '',
          limit: everybody,
        }))
          print(`${id}\t${name}\t${disabled === null ? 'enabled' : `disabled ${disabled.toISOString()}`}\t${description}`)
      }),
    },
    ...(['disable', 'enable', 'delete'] as const).map((verb) => ({
      name: `service-accounts ${verb}`,
      usage: 'NAME [--tenant ID]',
      summary: {
        disable: 'takes all keys of an account out of use, within a second',
        enable: 'makes the keys of an account good again',
        delete: 'removes an account with its keys and roles',
      }[verb],
      run: operated(async (operator, words, { tenant = defaultTenant }) => {
        const account = await accountOf(operator, word(words, 'the name of one account'), tenant)
        if (verb === 'delete') await deleteServiceAccount(operator.deps, account)
        else await disableServiceAccount(operator.deps, account, verb === 'disable')
        print(`${account.name} is ${verb}d`)
      }),
    })),
    {
      name: 'api-keys create',
      usage: 'ACCOUNT --scopes A,B [--name NAME] [--lifetime 90d] [--limit 600/1m] [--tenant ID]',
      summary: 'makes a key of an account and prints it, this once',
      run: operated(async (operator, words, { tenant = defaultTenant, scopes, name, lifetime, limit }) => {
        const accountName = word(words, 'the name of one account')
        const key = {
          tenant,
          name: name ?? 'made by a command',
          scopes: listOf(scopes, 'scopes', '--scopes user.users.read'),
          lifetimeSeconds: secondsOf(lifetime, 'lifetime') ?? defaultLifetimeSeconds,
          limit: limitOf(limit),
        }
        const account = await accountOf(operator, accountName, tenant)
        print((await createApiKey(operator.deps, { giver: 'operator', key: { ...key, accountId: account.id } })).key)
      }),
    },
    {
      name: 'api-keys list',
      usage: 'ACCOUNT [--tenant ID]',
      summary: 'lists the keys of an account, without what is secret of them',
      run: operated(async (operator, words, { tenant = defaultTenant }) => {
        const account = await accountOf(operator, word(words, 'the name of one account'), tenant)
        for (const key of await listApiKeys(operator.deps.db, { tenant, accountId: account.id, after: '', limit: everybody })) {
          const end = key.revoke_time === null ? `ends ${key.expire_time.toISOString()}` : `revoked ${key.revoke_time.toISOString()}`
          print(`${key.id}\t${key.name}\t${end}\tlast used ${key.last_use_time?.toISOString() ?? '-'}\t${key.scopes.join(',')}`)
        }
      }),
    },
    {
      name: 'api-keys rotate',
      usage: 'ID [--overlap 1d] [--lifetime 90d] [--tenant ID]',
      summary: 'makes the successor of a key and prints it, this once; the old key ends after the overlap',
      run: operated(async ({ deps }, words, { tenant = defaultTenant, overlap, lifetime }) => {
        const { key, oldExpireTime } = await rotateApiKey(deps, {
          tenant,
          id: keyId(words, frame),
          giver: 'operator',
          overlapSeconds: secondsOf(overlap, 'overlap') ?? defaultOverlapSeconds,
          lifetimeSeconds: secondsOf(lifetime, 'lifetime'),
        })
        print(key)
        process.stderr.write(`the old key ends ${oldExpireTime.toISOString()}\n`)
      }),
    },
    {
      name: 'api-keys revoke',
      usage: 'ID [--tenant ID]',
      summary: 'ends a key: it is refused everywhere within a second',
      run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
        const id = keyId(words, frame)
        await revokeApiKey(deps, { tenant, id })
        print(`${id} has ended`)
      }),
    },
    {
      name: 'workloads register',
      usage: 'NAME --calls RPC,SERVICE [--issuer ISSUER --subject SUB --audience AUD]',
      summary: 'lets a workload of another team call; without an issuer it is the one of that name in the JWKS of key files',
      run: operated(async ({ deps }, words, { issuer = keyFileIssuer, subject, audience = '', calls }) => {
        const name = word(words, 'one name')
        if (!namePattern.test(name) || ['user', 'auth', 'notification', 'registered'].includes(name))
          throw new CommandProblem(`${name} cannot be the name of another team's workload.`)
        const ofKeyFile = issuer === keyFileIssuer
        if (ofKeyFile ? audience !== '' || (subject ?? name) !== name : audience === '' || subject === undefined)
          throw new CommandProblem('An issuer needs --subject and --audience, and a key file neither.')
        const input = {
          name,
          issuer,
          subject: subject ?? name,
          audience,
          calls: listOf(calls, 'calls', '--calls gatehouse.user.v1.UserService/GetUser'),
        }
        await registerWorkload(deps, 'operator', input)
        print(`${name} is registered: it may call within seconds`)
      }),
    },
    {
      name: 'workloads list',
      summary: 'lists the registered workloads, who they are and what they may call',
      run: operated(async ({ deps }, words) => {
        none(words)
        for (const { name, issuer, subject, audience, calls } of await listWorkloads(deps.db))
          print(`${name}\t${issuer}\t${subject}\t${audience || '-'}\t${calls.join(',')}`)
      }),
    },
    {
      name: 'workloads unregister',
      usage: 'NAME',
      summary: 'forgets a workload: within seconds it may call nothing',
      run: operated(async ({ deps }, words) => {
        const name = word(words, 'the name of one workload')
        if (!(await unregisterWorkload(deps, name))) throw new CommandFailed(`There is no workload ${name}: gatehouse workloads list`)
        print(`${name} is forgotten`)
      }),
    },
  ]
}
