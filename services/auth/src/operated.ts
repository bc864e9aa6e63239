import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { Refusal } from '@gatehouse/rpc'
import { databaseInWords } from '@gatehouse/service'
import { actingAs } from './core/audit/actor.ts'
import { closedKeyIn, WrongEncryptionKey } from './core/keys/sealed-box.ts'
import { TenantMalformed, TenantRefused } from './core/tenants/create-tenant.ts'
import { type Operator, openOperator } from './operator.ts'
import { findTenant } from './store/tenants.ts'

/** Runs a command with what it stands on, and says in a sentence what the operator can mend. */
export function operated(
  act: (
    operator: Operator,
    words: readonly string[],
    options: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string | undefined>>,
  ) => Promise<void>,
): Command['run'] {
  return async (args, env) => {
    const { words, options } = parse(args)
    await using operator = await openOperator(env)
    try {
      const { tenant } = options
      if (tenant !== undefined && !(await findTenant(operator.deps.db, tenant))) throw new CommandFailed(`There is no tenant ${tenant}.`)
      await actingAs({ kind: 'operator', id: ownName() }, () => act(operator, words, options, env))
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

/** The account on the machine under which the command runs, for the audit log; a container may know none. */
function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
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
        since: { type: 'string' },
        until: { type: 'string' },
        before: { type: 'string' },
        checkpoints: { type: 'string' },
        now: { type: 'boolean' },
        successor: { type: 'boolean' },
        description: { type: 'string' },
        role: { type: 'string' },
        scopes: { type: 'string' },
        lifetime: { type: 'string' },
        limit: { type: 'string' },
        overlap: { type: 'string' },
        issuer: { type: 'string' },
        subject: { type: 'string' },
        audience: { type: 'string' },
        calls: { type: 'string' },
        resource: { type: 'string' },
        condition: { type: 'string' },
      },
    })
    const { now, successor, ...texts } = values
    return { words: positionals, options: { ...texts, ...(now && { now: 'yes' }), ...(successor && { successor: 'yes' }) } }
  } catch (error) {
    throw new CommandProblem(error instanceof Error ? error.message : String(error))
  }
}

export function word(words: readonly string[], what: string): string {
  const [only, ...more] = words
  if (only === undefined || more.length > 0) throw new CommandProblem(`This command takes ${what}.`)
  return only
}

/** `keys rotate acme` would else rotate the keys of another tenant than was meant. */
export function none(words: readonly string[]): void {
  if (words.length > 0) throw new CommandProblem(`What is "${words[0]}"? A tenant is named with --tenant ID.`)
}
