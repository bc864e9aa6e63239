import { ConfigError, readConfig } from '@gatehouse/config'
import { variables } from './config.ts'
import { serveConsole } from './serve-console.ts'

// The services' logger brings half of their dependencies along; three lines in a lifetime do without.
const tell = (level: 'info' | 'error', message: string, more: object = {}) =>
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), service: 'console', ...more, msg: message })}\n`)

const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve())
})
try {
  await using server = await serveConsole(readConfig(variables, process.env))
  tell('info', 'ready', { ports: server.ports })
  await stopped
  tell('info', 'draining')
} catch (error) {
  process.exitCode = error instanceof ConfigError ? 2 : 1
  if (error instanceof ConfigError) process.stderr.write(`console: ${error.message}\n`)
  else tell('error', 'cannot start', { err: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}
