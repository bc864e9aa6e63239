import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { canonicalEmail } from '@gatehouse/rpc'
import { print, serviceCommands } from '@gatehouse/service'
import { auditCheck } from './audit-check.ts'
import { auditCommands } from './audit-commands.ts'
import { clientCommands } from './client-commands.ts'
import { rules, variables } from './config.ts'
import { connectionCommands } from './connection-commands.ts'
import { consumersOf } from './consumers/index.ts'
import type { Deps } from './core/deps.ts'
import { openKeys } from './core/keys/open-keys.ts'
import { reencryptKeys } from './core/keys/reencrypt-keys.ts'
import { revokeKey } from './core/keys/revoke-key.ts'
import { rotateKeys } from './core/keys/rotate-keys.ts'
import { makeDevPerson } from './core/people/make-dev-person.ts'
import { inviteAdministrator, mintAdministratorToken } from './core/roles/invite-administrator.ts'
import { createTenant, defaultTenant } from './core/tenants/create-tenant.ts'
import { audiencePattern } from './core/tokens/issue-token.ts'
import { registerAudience } from './core/tokens/register-audience.ts'
import { keysCheck } from './keys-check.ts'
import { machineCommands } from './machine-commands.ts'
import { none, operated, word } from './operated.ts'
import type { Operator } from './operator.ts'
import { pagesCheck } from './pages-check.ts'
import { passwordCommands } from './password-commands.ts'
import { policyCommands } from './policy-commands.ts'
import { registrationCommands } from './registration-commands.ts'
import { resourceCommands } from './resource-commands.ts'
import { roleCommands } from './role-commands.ts'
import { migrations } from './store/migrations/index.ts'
import { keyAlgs, listSigningKeys } from './store/signing-keys.ts'
import { listTenants } from './store/tenants.ts'
import { workloadKeyCommands } from './workload-key-commands.ts'

/** Only where everything is thrown away sooner or later. */
function onlyLocally({ config }: Operator): void {
  if (config.gatehouseMode !== 'local') throw new CommandProblem('This command works with GATEHOUSE_MODE=local only.')
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

/** What `gatehouse` can do with the auth service. */
export const commands: readonly Command[] = [
  ...serviceCommands({
    name: 'auth',
    variables,
    rules,
    migrations,
    // Tying handlers to their events touches nothing that they need.
    consumes: consumersOf({} as Deps).map(({ event }) => event),
    checks: (config) => [keysCheck(config), auditCheck(config), pagesCheck(config)],
  }),
  ...passwordCommands,
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
      for (const { kid, alg, sign_time, retire_time } of keyAlgs.flatMap((each) => signing[each])) {
        const shut = opened.signing[alg].some((key) => key.kid === kid) ? '' : '\tdoes not open'
        const rs256 = alg === 'RS256' ? '\tRS256' : ''
        print(`${kid}\tsigns from ${sign_time.toISOString()}\tleaves ${retire_time?.toISOString() ?? '-'}${rs256}${shut}`)
      }
    }),
  },
  {
    name: 'keys rotate',
    usage: '[--tenant ID] [--now]',
    summary:
      'publishes the next signing key, of each kind that there is; --now, for a stolen key, signs with it at once and drops the others',
    run: operated(async ({ deps }, words, { tenant = defaultTenant, now }) => {
      none(words)
      const kid = await rotateKeys(deps, { tenant, immediately: now !== undefined })
      print(kid ?? 'the next key is published already and waits for its time')
      const rs256 = await rotateKeys(deps, { tenant, alg: 'RS256', immediately: now !== undefined })
      if (rs256 !== undefined) print(`${rs256}\tRS256`)
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
      const who = revoked.alg === 'RS256' ? 'clients refuse its ID tokens' : 'our services refuse its tokens within 30 s, others'
      print(`${kid} is trusted no more: ${who} when they fetch the JWKS again`)
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
  ...auditCommands,
  ...machineCommands({ operated, word, none }),
  ...policyCommands,
  ...clientCommands,
  ...registrationCommands,
  ...connectionCommands,
  ...resourceCommands,
  {
    name: 'audiences add',
    usage: 'AUDIENCE [--tenant ID]',
    summary: 'registers the service of another team, so that people can have tokens for it',
    run: operated(async ({ deps }, words, { tenant = defaultTenant }) => {
      const audience = word(words, 'one audience')
      if (!audiencePattern.test(audience)) throw new CommandProblem(`${audience} cannot be an audience.`)
      print(`${audience} is ${(await registerAudience(deps, { tenant, audience })) ? 'registered' : 'registered already'}`)
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
  ...roleCommands,
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
