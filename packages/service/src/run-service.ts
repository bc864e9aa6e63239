import { ConfigError, type Rule, readConfig, type Table, type Values } from '@gatehouse/config'
import { createLogger } from '@gatehouse/telemetry'

/** A service that serves. Disposing it drains: calls in flight are answered before the doors close. */
export interface App extends AsyncDisposable {
  readonly ports: { readonly grpc: number; readonly web: number; readonly metrics: number }
}

/** What `main.ts` runs. */
export interface Program<T extends Table> {
  readonly name: string
  readonly variables: T
  /** What has to hold between the values. */
  readonly rules: readonly Rule<Values<T>>[]
  /** Aborting `signal` ends a start that is still waiting. */
  readonly createApp: (config: Values<T>, signal: AbortSignal) => Promise<App>
}

/**
 * Runs a service as this process until SIGTERM or SIGINT, and drains then. Exit code 2 for a configuration that does not hold (every problem is
 * listed on standard error), 1 for a service that cannot start.
 */
export async function runService<T extends Table>({ name, variables, rules, createApp }: Program<T>): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  const log = createLogger({ service: name })
  // The last resort: a fault that nobody caught leaves the process in an unknown state, and whoever watches it starts another.
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'a fault that nobody caught: the service ends')
    process.exitCode = 1
    stop.abort()
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 10_000).unref()
  })
  try {
    const config = readConfig(variables, process.env, rules)
    await using app = await createApp(config, stop.signal)
    log.info({ ports: app.ports }, 'ready')
    if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    log.info({}, 'draining')
  } catch (error) {
    if (stop.signal.aborted && process.exitCode !== 1) return
    process.exitCode = error instanceof ConfigError ? 2 : 1
    if (error instanceof ConfigError) process.stderr.write(`${name}: ${error.message}\n`)
    else log.error({ err: error }, 'cannot start')
  }
}
