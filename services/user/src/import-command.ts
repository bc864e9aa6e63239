import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Command, CommandFailed, CommandProblem, shown } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { connect } from '@gatehouse/postgres'
import { batchesAtOnce, type Imported, importUsers } from './core/import/import-users.ts'
import { sentenceOf } from './import-ended.ts'
import type { Schema } from './store/schema.ts'
import { requireTenant } from './tenants-of-auth.ts'

const progressEveryMs = 2000
const statementTimeoutMs = 120_000
const defaultTenant = 'default'

/** The command that brings people in from a file, or from standard input. */
export const importCommand: Command = {
  name: 'user import',
  usage: 'FILE|- [--tenant ID] [--invite]',
  summary: 'brings people in, a RegisterUserRequest as JSON a line; --invite mails each of them an invitation',
  async run(args, env) {
    const { file, tenant, invite } = parse(args)
    if (tenant !== defaultTenant) await requireTenant(tenant, env)
    const { databaseUrl } = readConfig({ DATABASE_URL: serviceVariables.DATABASE_URL }, env)
    await using database = connect<Schema>({
      url: databaseUrl,
      poolSize: batchesAtOnce,
      namedStatements: false,
      statementTimeoutMs,
      applicationName: 'gatehouse-user-command',
    })
    // The running service's relay finds the events at its next look.
    const deps = { db: database.kysely, committed: () => undefined }
    try {
      const result = await importUsers(deps, {
        tenant,
        as: invite ? 'invited' : 'active',
        input: file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 }),
        onProblem: (sentence) => process.stderr.write(`${sentence}\n`),
        onProgress: progress(),
      })
      process.stdout.write(`${summary(result)}\n`)
      const left = result.bad + result.taken
      if (left > 0)
        throw new CommandFailed(
          `${counted(left, 'line')} brought nobody: mend ${left === 1 ? 'it' : 'them'} and run the file again, which changes nobody who is there.`,
        )
    } catch (error) {
      const sentence = sentenceOf(error)
      if (sentence !== undefined) throw new CommandFailed(sentence)
      if (isMissing(error)) throw new CommandFailed(`${shown(file)} cannot be read.`)
      throw error
    }
  },
}

function parse(args: readonly string[]): { file: string; tenant: string; invite: boolean } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { tenant: { type: 'string' }, invite: { type: 'boolean' } },
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0)
      throw new CommandProblem('Which file? gatehouse user import people.ndjson, or - for standard input')
    return { file, tenant: values.tenant ?? defaultTenant, invite: values.invite ?? false }
  } catch (error) {
    throw error instanceof TypeError ? new CommandProblem(shown(error.message)) : error
  }
}

const isMissing = (error: unknown): boolean => ['ENOENT', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

/** A line on standard error every other second. */
function progress(): (soFar: Imported) => void {
  const began = performance.now()
  let last = began
  return (soFar) => {
    const now = performance.now()
    if (now - last < progressEveryMs) return
    last = now
    const perSecond = Math.round(soFar.lines / ((now - began) / 1000))
    process.stderr.write(`${summary(soFar)} (${perSecond.toLocaleString('en')} lines/s)\n`)
  }
}

const summary = ({ lines, imported, existing, taken, bad }: Imported): string =>
  `${counted(lines, 'line')}: ${imported.toLocaleString('en')} imported, ${existing.toLocaleString('en')} were there, ${taken.toLocaleString('en')} with somebody else's address or id, ${bad.toLocaleString('en')} bad`

const counted = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
