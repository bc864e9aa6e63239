import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { ConfigError } from '@gatehouse/config'
import { findCommand, type Owned, usage } from './find-command.ts'
import { type Command, CommandProblem } from './index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const services = `${root}services/`

// An image holds one service, a checkout all of them: the commands are those of the services that are here.
async function ownedCommands(words: readonly string[]): Promise<Owned[]> {
  const owned: Owned[] = []
  const here = existsSync(services) ? readdirSync(services).sort() : []
  // Whoever names a service waits for that one to load.
  const named = here.filter((service) => words.includes(service))
  for (const service of named.length > 0 ? named : here) {
    const file = `${services}${service}/src/commands.ts`
    if (!existsSync(file)) continue
    const { commands } = (await import(file)) as { commands: readonly Command[] }
    owned.push(...commands.map((command) => ({ service, command })))
  }
  return owned
}

async function main(words: readonly string[]): Promise<void> {
  const all = await ownedCommands(words)
  if (words.includes('--help') || words.length === 0) {
    process.stdout.write(`${usage(all)}\n`)
    if (words.length === 0) process.exitCode = 2
    return
  }
  const { service, command, args } = findCommand(all, words)
  await command.run(args, environmentOf(service))
}

// In a checkout, a shell that knows nothing of the service means the Gatehouse that `npm start` runs here.
function environmentOf(service: string): NodeJS.ProcessEnv {
  const local = `${root}.local/env/${service}.env`
  if (process.env.DATABASE_URL !== undefined || process.env.DATABASE_URL_FILE !== undefined || !existsSync(local)) return process.env
  return { ...parseEnv(readFileSync(local, 'utf8')), ...process.env }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = error instanceof ConfigError || error instanceof CommandProblem ? 2 : 1
  const expected = process.exitCode === 2
  process.stderr.write(
    `gatehouse: ${expected ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
}
