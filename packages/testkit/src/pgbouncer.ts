import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bringDebianProgram } from './debian/bring-program.ts'
import { freePort } from './free-port.ts'
import { type ProcessEnd, startOwned } from './owned-process.ts'
import { userForServers } from './postgres-home.ts'
import { SetupProblem } from './setup-problem.ts'

export type PgBouncerOptions = {
  /** The server behind it, as a superuser, who may read the passwords of roles. */
  readonly postgresUrl: string
  /** Named statements that a connection to the server holds; 0 for a pooler that cannot carry them. Default 200. */
  readonly maxPreparedStatements?: number
  /** Connections to the server for each database and role. Default 8. */
  readonly poolSize?: number
  /** Another program than bringDebianProgram() finds. */
  readonly program?: { readonly path: string; readonly version: string }
  readonly log?: (line: string) => void
}

export type PgBouncer = AsyncDisposable & {
  readonly port: number
  readonly version: string
  readonly exited: Promise<ProcessEnd>
  /** The same address through the pooler. */
  readonly urlOf: (url: string) => string
}

/**
 * Starts PgBouncer in transaction mode before a server on 127.0.0.1, for every database and role of it. What a connection begins with (`statement_timeout`
 * and the like) it ignores, as docs/operations.md says: roles have it. Throws SetupProblem where there is no PgBouncer to be had.
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const program = options.program ?? (await bringDebianProgram('pgbouncer', options.log && { log: options.log }))
  if (program.path === undefined) throw new SetupProblem(program.why)
  const as = await userForServers()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-pgbouncer-'))
  const config = join(folder, 'pgbouncer.ini')
  const users = join(folder, 'users.txt')
  const remove = () => rm(folder, { recursive: true, force: true })
  if (as) await chown(folder, as.uid, as.gid)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const { username, password } = new URL(options.postgresUrl)
    const files = {
      [config]: configuration(options, { port, users, version: program.version, as: as?.name }),
      [users]: `"${username}" "${decodeURIComponent(password)}"\n`,
    }
    for (const [path, content] of Object.entries(files)) {
      await rm(path, { force: true })
      await writeFile(path, content, { mode: 0o600 })
      if (as) await chown(path, as.uid, as.gid)
    }
    const server = await startOwned({
      command: program.path,
      args: [config],
      // SIGINT waits for clients, SIGTERM ends at once in every version.
      stopSignal: 'SIGTERM',
      insistSignal: 'SIGKILL',
      graceMs: 2_000,
      cwd: folder,
      ...(options.log && { log: options.log }),
    })
    if (await server.line((line) => line.includes('process up'), 30_000)) {
      const stop = async (): Promise<void> => {
        await server.stop()
        await remove()
      }
      const urlOf = (url: string): string => Object.assign(new URL(url), { port: String(port) }).href
      return { port, version: program.version, exited: server.exited, urlOf, [Symbol.asyncDispose]: stop }
    }
    const { lastLines } = await server.stop()
    if (attempt < 5 && lastLines.some((line) => /address already in use|Address in use/i.test(line))) continue
    await remove()
    throw new SetupProblem(`PgBouncer did not start; it said: ${lastLines.slice(-4).join(' ')}`)
  }
}

function configuration(
  { postgresUrl, poolSize = 8, maxPreparedStatements = 200 }: PgBouncerOptions,
  {
    port,
    users,
    version,
    as,
  }: { readonly port: number; readonly users: string; readonly version: string; readonly as: string | undefined },
): string {
  const carriesNames = carriesNamedStatements(version)
  return [
    '[databases]',
    `* = host=127.0.0.1 port=${new URL(postgresUrl).port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    // It refuses to be root, and cannot be started as somebody who may not enter root's folders: it becomes another user by itself.
    ...(as === undefined ? [] : [`user = ${as}`]),
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    `auth_user = ${new URL(postgresUrl).username}`,
    'auth_query = select rolname, rolpassword from pg_authid where rolname = $1 and rolcanlogin',
    ...(carriesNames ? ['auth_dbname = postgres', `max_prepared_statements = ${maxPreparedStatements}`] : []),
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 2000',
    'ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
    'server_idle_timeout = 10',
    'log_connections = 0',
    'log_disconnections = 0',
    'log_stats = 0',
    '',
  ].join('\n')
}

/** From 1.21 on (PgBouncer's changelog). */
export function carriesNamedStatements(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 1 || minor >= 21
}
