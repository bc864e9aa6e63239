import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { exitCodeOf, isExpected } from './exit-code.ts'
import { type Called, findCommands, likeThese, type Owned, usage } from './find-command.ts'
import { type Command, CommandProblem } from './index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const services = `${root}services/`
const here = existsSync(services) ? readdirSync(services).sort() : []

// An image holds one service, a checkout all of them: the commands are those of the services that are here.
async function ownedCommands(of: readonly string[]): Promise<Owned[]> {
  const owned: Owned[] = []
  for (const service of of) {
    const file = `${services}${service}/src/commands.ts`
    if (!existsSync(file)) continue
    const { commands } = (await import(file)) as { commands: readonly Command[] }
    owned.push(...commands.map((command) => ({ service, command })))
  }
  return owned
}

/** Whoever names a service waits for that one to load; unless the word was no name of a service, or that one has no such command. */
async function call(words: readonly string[]): Promise<readonly Called[]> {
  const named = here.filter((service) => words.includes(service))
  try {
    if (named.length > 0) return findCommands(await ownedCommands(named), words)
  } catch (error) {
    if (!(error instanceof CommandProblem)) throw error
  }
  return findCommands(await ownedCommands(here), words)
}

async function main(words: readonly string[]): Promise<void> {
  const asksForHelp = words[0] === 'help' || words.some((word) => word === '--help' || word === '-h')
  if (asksForHelp || words.length === 0) {
    const about = words.filter((word, i) => !word.startsWith('-') && !(i === 0 && word === 'help'))
    process.stdout.write(`${usage(likeThese(await ownedCommands(here), about))}\n`)
    if (words.length === 0) process.exitCode = 2
    return
  }
  const called = await call(words)
  if (called.length > 1 && knowsOneService(process.env))
    throw new CommandProblem(
      `Of which service is DATABASE_URL? gatehouse ${words.join(' ')} ${called.map(({ service }) => service).join(' | ')}`,
    )
  for (const { service, command, args } of called) {
    try {
      await command.run(args, environmentOf(service))
    } catch (error) {
      if (called.length === 1) throw error
      tell(error)
    }
  }
}

const knowsOneService = (env: NodeJS.ProcessEnv): boolean => env.DATABASE_URL !== undefined || env.DATABASE_URL_FILE !== undefined

// In a checkout, a shell that knows nothing of the service means the Gatehouse that `npm start` runs here.
function environmentOf(service: string): NodeJS.ProcessEnv {
  const local = join(process.env.STATE_FOLDER || join(root, '.local'), 'env', `${service}.env`)
  if (knowsOneService(process.env) || !existsSync(local)) return process.env
  return { ...parseEnv(readFileSync(local, 'utf8')), ...process.env }
}

/** A sentence for what is expected, the stack for what is not; the worst exit code of all stays. */
function tell(error: unknown): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCodeOf(error))
  const said = error instanceof Error ? (isExpected(error) ? error.message : (error.stack ?? error.message)) : String(error)
  process.stderr.write(`gatehouse: ${said}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  tell(error)
}
