import { parseArgs } from 'node:util'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { canonicalEmail, Refusal } from '@gatehouse/rpc'
import { databaseInWords, serviceCommands } from '@gatehouse/service'
import { rules, variables } from './config.ts'
import { consumersOf } from './consumers/index.ts'
import type { Deps } from './core/deps.ts'
import { openKeys } from './core/keys/open-keys.ts'
import { reencryptKeys } from './core/keys/reencrypt-keys.ts'
import { revokeKey } from './core/keys/revoke-key.ts'
import { rotateKeys } from './core/keys/rotate-keys.ts'
import { closedKeyIn, WrongEncryptionKey } from './core/keys/sealed-box.ts'
import { makeDevPerson } from './core/people/make-dev-person.ts'
import { inviteAdministrator, mintAdministratorToken } from './core/roles/invite-administrator.ts'
import { createTenant, defaultTenant, TenantMalformed, TenantRefused } from './core/tenants/create-tenant.ts'
import { audiencePattern } from './core/tokens/issue-token.ts'
import { keysCheck } from './keys-check.ts'
import { type Operator, openOperator } from './operator.ts'
import { policyCommands } from './policy-commands.ts'
import { insertAudience } from './store/audiences.ts'
import { migrations } from './store/migrations/index.ts'
import { listSigningKeys } from './store/signing-keys.ts'
import { findTenant, listTenants } from './store/tenants.ts'
import { workloadKeyCommands } from './workload-key-commands.ts'

/** Runs a command with what it stands on, and says in a sentence what the operator can mend. */
function operated(
  act: (operator: Operator, words: readonly string[], options: Readonly<Record<string, string>>) => Promise<void>,
): Command['run'] {
  return async (args, env) => {
    const { words, options } = parse(args)
    await using operator = await openOperator(env)
    try {
      const { tenant } = options
      if (tenant !== undefined && !(await findTenant(operator.deps.db, tenant))) throw new CommandFailed(`There is no tenant ${tenant}.`)
      await act(operator, words, options)
    } catch (error) {
      const closed = closedKeyIn(error)
      if (closed instanceof WrongEncryptionKey) throw new CommandProblem(closed.message)
      if (closed !== undefined) throw new CommandFailed(closed.message)
      if (error instanceof TenantMalformed) throw new CommandProblem(error.message)
      if (error instanceof Refusal && error.reason === 'DEPENDENCY_UNAVAILABLE')
        throw new CommandFailed(`user at ${operator.config.userUrl} does not answer: does it run, is USER_URL right?`)
      if (error instanceof TenantRefused || error instanceof Refusal) throw new CommandFailed(error.message)
      throw databaseInWords(error, 'auth', operator.config.databaseUrl)
    }
  }
}

/** Only where everything is thrown away sooner or later. */
function onlyLocally({ config }: Operator): void {
  if (config.gatehouseMode !== 'local') throw new CommandProblem('This command works with GATEHOUSE_MODE=local only.')
}

function parse(args: readonly string[]): { words: readonly string[]; options: Readonly<Record<string, string>> } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tenant: { type: 'string' },
        origin: { type: 'string' },
        name: { type: 'string' },
        now: { type: 'boolean' },
        successor: { type: 'boolean' },
      },
    })
    const { now, successor, ...texts } = values
    return { words: positionals, options: { ...texts, ...(now && { now: 'yes' }), ...(successor && { successor: 'yes' }) } }
  } catch (error) {
    throw new CommandProblem(error instanceof Error ? error.message : String(error))
  }
}

function word(words: readonly string[], what: string): string {
  const [only, ...more] = words
  if (only === undefined || more.length > 0) throw new CommandProblem(`This command takes ${what}.`)
  return only
}

/** `keys rotate acme` would else rotate the keys of another tenant than was meant. */
function none(words: readonly string[]): void {
  if (words.length > 0) throw new CommandProblem(`What is "${words[0]}"? A tenant is named with --tenant ID.`)
}

function address(words: readonly string[]): string {
  const given = word(words, 'one e-mail address')
  const email = canonicalEmail(given)
  if (email === undefined) throw new CommandProblem(`${given} is no e-mail address.`)
  return email
}

function nameFor(email: string, options: Readonly<Record<string, string>>): string {
  return options.name ?? email.slice(0, email.lastIndexOf('@'))
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** What `gatehouse` can do with the auth service. */
export const commands: readonly Command[] = [
  ...serviceCommands({
    name: 'auth',
    variables,
    rules,
    migrations,
    // Tying handlers to their events touches nothing that they need.
    consumes: consumersOf({} as Deps).map(({ event }) => event),
    checks: (config) => [keysCheck(config)],
  }),
  {
    name: 'tenants create',
    usage: 'ID --origin URL',
    summary: 'makes a tenant that lives at an origin, with keys of its own',
    run: operated(async ({ deps }, words, { origin }) => {
      if (origin === undefined) throw new CommandProblem('Where does the tenant live? --origin https://id.example.com')
      await createTenant(deps, { id: word(words, 'one tenant id'), origin })
      print(`${words[0]} lives at ${origin}`)
    }),
  },
  {
    name: 'tenants list',
    summary: 'lists the tenants and where they live',
    run: operated(async ({ deps }) => {
      for (const { id, origin } of await listTenants(deps.db)) print(`${id}\t${origin}`)
    }),
  },
  {
    name: 'keys list',
    usage: '[--tenant ID]',
    summary: 'lists the signing keys of which tokens may be alive or come',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      none(words)
      const signing = await listSigningKeys(deps.db, tenant, new Date(deps.now()))
      const opened = await openKeys({ signing, refresh: [] }, tenant, deps.keys.unseal)
      for (const { kid, sign_time, retire_time } of signing) {
        const shut = opened.signing.some((key) => key.kid === kid) ? '' : '\tdoes not open'
        print(`${kid}\tsigns from ${sign_time.toISOString()}\tleaves ${retire_time?.toISOString() ?? '-'}${shut}`)
      }
    }),
  },
  {
    name: 'keys rotate',
    usage: '[--tenant ID] [--now]',
    summary: 'publishes the next signing key; --now, for a stolen key, signs with it at once and drops the others',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, now }) => {
      none(words)
      const kid = await rotateKeys(deps, { tenant, immediately: now !== undefined })
      print(kid ?? 'the next key is published already and waits for its time')
    }),
  },
  {
    name: 'keys revoke',
    usage: 'KID [--successor] [--tenant ID]',
    summary: 'ends the trust in one signing key at once; --successor makes another where it is the only one that signs',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, successor }) => {
      const kid = word(words, 'the kid of one key (gatehouse keys list)')
      const revoked = await revokeKey(deps, { tenant, kid, successor: successor !== undefined })
      if (revoked.outcome === 'unknown') throw new CommandFailed(`${tenant} has no signing key ${kid} that is trusted: gatehouse keys list`)
      if (revoked.outcome === 'only key')
        throw new CommandFailed(
          `${kid} is the only key of ${tenant} that is to go on signing; nothing was done. With --successor another is made, and signs at once.`,
        )
      print(`${kid} is trusted no more: our services refuse its tokens within 30 s, others when they fetch the JWKS again`)
      print(`${revoked.signing} signs`)
    }),
  },
  {
    name: 'keys reencrypt',
    summary: 'encrypts all keys under AUTH_KEY_ENCRYPTION_KEY, so that AUTH_KEY_ENCRYPTION_KEY_PREVIOUS can go',
    run: operated(async ({ deps }) => {
      const { count, shut } = await reencryptKeys(deps)
      print(`${count} keys are encrypted under the present key`)
      if (shut.length > 0)
        throw new CommandFailed(`${shut.length} do not open, and stay as they are: ${shut.join('; ')}. gatehouse doctor auth`)
    }),
  },
  ...workloadKeyCommands,
  ...policyCommands(operated),
  {
    name: 'audiences add',
    usage: 'AUDIENCE [--tenant ID]',
    summary: 'registers the service of another team, so that people can have tokens for it',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const audience = word(words, 'one audience')
      if (!audiencePattern.test(audience)) throw new CommandProblem(`${audience} cannot be an audience.`)
      print(`${audience} is ${(await insertAudience(deps.db, { tenant, audience })) ? 'registered' : 'registered already'}`)
    }),
  },
  {
    name: 'admin invite',
    usage: 'EMAIL [--name NAME] [--tenant ID]',
    summary: 'makes somebody an administrator, and invites them by mail where they are unknown; the services have to run',
    run: operated(async ({ deps }, words, options) => {
      const email = address(words)
      const tenant = options.tenant ?? defaultTenant
      const { userId, invited } = await inviteAdministrator(deps, { tenant, email, name: nameFor(email, options) })
      print(`${userId} is an administrator${invited ? '; the invitation is on its way' : ''}`)
    }),
  },
  {
    name: 'dev person',
    usage: 'EMAIL [--name NAME] [--tenant ID]',
    summary: 'makes a proven person and prints tokens for them as JSON; local mode only',
    run: operated(async (operator, words, options) => {
      onlyLocally(operator)
      const email = address(words)
      const tenant = options.tenant ?? defaultTenant
      const { result, password } = await makeDevPerson(operator.deps, { tenant, email, name: nameFor(email, options) })
      const expireSeconds = Number(result.accessTokenExpireTime?.seconds ?? 0n)
      const person = {
        user_id: result.user?.id,
        tenant,
        email,
        password,
        session_id: result.session?.id,
        access_token: result.accessToken,
        access_token_expire_time: new Date(expireSeconds * 1000).toISOString(),
        refresh_token: result.refreshToken,
      }
      print(JSON.stringify(person, undefined, 2))
    }),
  },
  {
    name: 'dev admin-token',
    usage: '[--tenant ID]',
    summary: "prints an administrator's token that is good for ten minutes; local mode only",
    run: operated(async (operator, words, { tenant = defaultTenant }) => {
      none(words)
      onlyLocally(operator)
      print((await mintAdministratorToken(operator.deps, { tenant, name: 'local-admin' })).token)
    }),
  },
]
