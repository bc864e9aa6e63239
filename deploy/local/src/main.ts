import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupProblem } from '@gatehouse/testkit'
import { demandFree } from './free-ports.ts'
import { describePorts, fixedPorts } from './options.ts'
import { root } from './service-process.ts'
import { startLocal } from './start-local.ts'
import { table } from './table.ts'

const usage = `npm start            starts Gatehouse on this machine
npm start -- --reset forgets everybody first

Ports, and the environment variables that move them:
${describePorts()}
Postgres and NATS take free ones. STATE_FOLDER moves what is kept from .local.
`

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => !['--reset', '--help'].includes(arg))
  if (unknown !== undefined) throw new SetupProblem(`${unknown} is not known here.\n${usage}`)
  if (args.includes('--help')) return void process.stdout.write(usage)
  const folder = process.env.STATE_FOLDER || join(root, '.local')
  const { ports, variables } = fixedPorts(process.env)
  // The variables of a service that are handed on: without, clients of a conformance suite could not be made on this machine, no program on it be called, and none register itself or know people by ids of its own.
  const auth: Record<string, string> = {}
  for (const name of ['OIDC_CONFORMANCE', 'OIDC_EGRESS_ALLOW', 'OIDC_PAIRWISE_KEY', 'OIDC_REGISTRATION'])
    if (process.env[name]) auth[name] = process.env[name]
  const seen: Record<string, string> = {}
  for (const name of ['OTLP_ENDPOINT', 'TRACE_SAMPLE_RATIO', 'LOG_LEVEL']) if (process.env[name]) seen[name] = process.env[name]
  const began = performance.now()
  const stopping = untilAskedToStop()
  await demandFree(variables)
  if (args.includes('--reset')) {
    await rm(folder, { recursive: true, force: true })
    say('forgot everybody')
  }
  await using local = await startLocal({
    folder,
    ports,
    onStep: (step) => say(`starting ${step} …`),
    onTrouble: say,
    extra: { auth: { ...auth, ...seen }, user: seen, notification: seen },
  })
  process.stdout.write(table(local))
  say(`ready after ${((performance.now() - began) / 1000).toFixed(1)} s. Ctrl-C stops everything.`)
  const why = await Promise.race([stopping, local.broken])
  if (why === 'asked') say('stopping …')
  else throw new SetupProblem(why)
}

function untilAskedToStop(): Promise<'asked'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('asked'))
  })
}

function say(line: string): void {
  process.stdout.write(`gatehouse: ${line}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  const expected = error instanceof SetupProblem || error instanceof TypeError
  process.stderr.write(`gatehouse: ${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}
