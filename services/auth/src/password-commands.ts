import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Command, CommandFailed, CommandProblem, shown } from '@gatehouse/cli'
import { Refusal } from '@gatehouse/rpc'
import { databaseInWords } from '@gatehouse/service'
import { buildFilter } from './core/passwords/breaches/build-filter.ts'
import { type ImportedPasswords, importPasswords } from './core/passwords/import/import-passwords.ts'
import { defaultTenant } from './core/tenants/create-tenant.ts'
import { openOperator } from './operator.ts'
import { findTenant } from './store/tenants.ts'

const pieceBytes = 1 << 20
const progressEveryMs = 2_000

/** What `gatehouse` can do about passwords that come from elsewhere. */
export const passwordCommands: readonly Command[] = [
  {
    name: 'auth import-passwords',
    usage: 'FILE|- [--tenant ID]',
    summary: 'brings in password hashes from elsewhere, {"user_id" or "email", "hash"} as JSON a line; user has to run',
    async run(args, env) {
      const { file, tenant = defaultTenant } = parse(args, { tenant: { type: 'string' } })
      await using operator = await openOperator(env)
      try {
        if (!(await findTenant(operator.deps.db, tenant))) throw new CommandFailed(`There is no tenant ${shown(tenant)}.`)
        const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: pieceBytes })
        const result = await importPasswords(operator.deps, { tenant, input, onProblem: complain, onProgress: progress() })
        process.stdout.write(`${summary(result)}\n`)
        if (result.bad > 0)
          throw new CommandFailed('Some lines brought nothing: mend them and run the file again, which changes no password that is there.')
      } catch (error) {
        if (error instanceof CommandFailed) throw error
        if (error instanceof Refusal)
          throw new CommandFailed(`user at ${operator.config.userUrl} does not answer. Whole batches are in: run the same file again.`)
        throw unreadable(error, file) ?? databaseInWords(error, 'auth', operator.config.databaseUrl)
      }
    },
  },
  {
    name: 'auth breach-filter',
    usage: 'FILE --out PATH [--passwords]',
    summary: 'makes the filter for PASSWORD_BREACH_FILTER of a list of SHA-1 hashes (Have I Been Pwned), or of passwords',
    async run(args) {
      const { file, out, passwords } = parse(args, { out: { type: 'string' }, passwords: { type: 'boolean' } })
      if (out === undefined) throw new CommandProblem('Where is the filter to go? --out breached.filter')
      if (file === '-') throw new CommandProblem('The list is read twice: it has to be a file.')
      try {
        const of = passwords ? 'passwords' : 'hashes'
        const input = () => createReadStream(file, { highWaterMark: pieceBytes })
        const { filter, bad } = await buildFilter({ input, of, onProblem: complain })
        if (bad > 0)
          throw new CommandProblem(
            `${bad.toLocaleString('en')} lines are of no use; nothing was written.${passwords ? '' : ' A list of passwords needs --passwords.'}`,
          )
        await filter.write(out)
        process.stdout.write(`${filter.added.toLocaleString('en')} passwords are in ${shown(out)}\n`)
      } catch (error) {
        throw unreadable(error, file) ?? error
      }
    },
  },
]

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>

function parse(args: readonly string[], options: Options): { file: string; tenant?: string; out?: string; passwords?: boolean } {
  try {
    const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new CommandProblem('This command takes one file.')
    return { ...values, file }
  } catch (error) {
    throw error instanceof TypeError ? new CommandProblem(shown(error.message)) : error
  }
}

function complain(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

/** A line on standard error every other second. */
function progress(): (soFar: ImportedPasswords) => void {
  let last = performance.now()
  return (soFar) => {
    if (performance.now() - last < progressEveryMs) return
    last = performance.now()
    complain(summary(soFar))
  }
}

function summary({ lines, imported, existing, bad }: ImportedPasswords): string {
  const said = (count: number) => count.toLocaleString('en')
  return `${said(lines)} lines: ${said(imported)} passwords imported, ${said(existing)} people had one, ${said(bad)} bad`
}

function unreadable(error: unknown, file: string): CommandFailed | undefined {
  const { code = '', path } = error as NodeJS.ErrnoException
  if (!['ENOENT', 'EACCES', 'EISDIR'].includes(code)) return undefined
  return new CommandFailed(`${shown(path ?? file)} cannot be ${path === undefined || path === file ? 'read' : 'written'}.`)
}
