import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { commandLineOf, lifeOf, type OwnedProcess, type ProcessEnd, startOwned, waitUntilGone } from './owned-process.ts'
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts'
import { type PostgresHome, postgresHome } from './postgres-home.ts'
import { SetupProblem } from './setup-problem.ts'

export type PostgresOptions = {
  /** The cluster's folder; made when it is missing. As root this becomes a link into /var/tmp. */
  readonly dataDir: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** False gives up every promise about power cuts for speed: for tests only. */
  readonly durable?: boolean
  /** False deletes the cluster when it is stopped. Default true. */
  readonly keep?: boolean
  /** Default 200. */
  readonly maxConnections?: number
  /** More of the server's settings. */
  readonly settings?: Readonly<Record<string, string>>
  readonly log?: (line: string) => void
}

export type PostgresServer = AsyncDisposable & {
  /** Of the superuser `postgres`, with its generated password, on the database `postgres`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves when the server is gone; `expected` tells whether it was asked to. */
  readonly exited: Promise<ProcessEnd>
  /** Ends connections, writes a checkpoint and stops. Calling twice is harmless. */
  readonly stop: () => Promise<void>
}

/**
 * Starts PostgreSQL 18 from npm on 127.0.0.1 over `dataDir`, making the cluster when there is none.
 * It dies with this process. What a killed predecessor left running over the same folder is ended first.
 * Throws SetupProblem when the machine cannot run it, the port is taken, or another live process runs this cluster.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const home = await postgresHome(options.dataDir)
  const binaries = await postgresBinaries(home.as)
  const hasCluster = await lstat(join(home.data, passwordFile)).catch(() => undefined)
  if (hasCluster) await endPredecessor(home.data)
  else await makeCluster(home, binaries)
  const password = await readFile(join(home.data, passwordFile), 'utf8')
  await writeFile(join(home.data, ownerFile), (await lifeOf(process.pid)) ?? '')

  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await freePort())
    const server = await startOwned({
      command: binaries.postgres,
      args: ['-D', home.data, '-p', String(port), ...settings(options).flatMap((setting) => ['-c', setting])],
      // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (the next start recovers).
      stopSignal: 'SIGINT',
      insistSignal: 'SIGQUIT',
      graceMs: 10_000,
      cwd: home.data,
      env: cleanEnvironment(),
      ...(home.as && { as: home.as }),
      ...(options.log && { log: options.log }),
    })
    if (await server.line((line) => /database system is ready to accept (read-only )?connections/.test(line), 60_000))
      return running(server, port, password, options.keep === false ? home.remove : undefined)
    const { lastLines } = await server.stop()
    // The children of a killed server take a moment to notice; until then they hold its shared memory.
    const remainsHeld = lastLines.some((line) => line.includes('pre-existing shared memory block'))
    if (remainsHeld) await delay(200)
    const portLost = lastLines.some(
      (line) => line.includes('could not create any TCP/IP sockets') || line.includes('Address already in use'),
    )
    if (portLost && options.port) throw new SetupProblem(`Port ${port} for PostgreSQL is taken: free it, or choose another.`)
    if (!(portLost || remainsHeld) || attempt === 10)
      throw new SetupProblem(`PostgreSQL did not start over ${home.data}; it said: ${explain(lastLines)}`)
  }
}

const passwordFile = 'gatehouse-superuser'
const ownerFile = 'gatehouse-owner'

function running(server: OwnedProcess, port: number, password: string, remove?: () => Promise<void>): PostgresServer {
  const stop = async (): Promise<void> => {
    await server.stop()
    await remove?.()
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  return { url, port, pid: server.pid, exited: server.exited, stop, [Symbol.asyncDispose]: stop }
}

const settings = ({ durable = true, maxConnections = 200, settings: more = {} }: PostgresOptions): string[] => [
  'listen_addresses=127.0.0.1',
  // No socket file: its path would have to fit into 107 bytes.
  'unix_socket_directories=',
  `max_connections=${maxConnections}`,
  'log_checkpoints=off',
  'lc_messages=C',
  'timezone=UTC',
  'log_timezone=UTC',
  ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0']),
  ...Object.entries(more).map(([name, value]) => `${name}=${value}`),
]

/** Variables such as PGDATA or LC_ALL of a developer's shell would change the cluster. */
const cleanEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: '/', LC_ALL: 'C', TZ: 'UTC' })

/** initdb works beside the final place, so that one that was killed half-way leaves nothing that looks like a cluster. */
async function makeCluster({ data, as }: PostgresHome, { initdb }: PostgresBinaries): Promise<void> {
  const unfinished = `${data}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  if (as) await chown(unfinished, as.uid, as.gid)
  const secrets = await mkdtemp(join(tmpdir(), 'gatehouse-initdb-'))
  try {
    const pwfile = join(secrets, 'password')
    const password = randomBytes(24).toString('base64url')
    await writeFile(pwfile, password, { mode: 0o600 })
    if (as) await Promise.all([secrets, pwfile].map((path) => chown(path, as.uid, as.gid)))
    // The built-in locale provider sorts by code point on every machine, whatever locales it has.
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
    const child = spawn(
      initdb,
      ['-D', unfinished, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${pwfile}`, '--no-sync', '--no-instructions', ...locale],
      {
        cwd: unfinished,
        env: cleanEnvironment(),
        stdio: ['ignore', 'ignore', 'pipe'],
        ...(as && { uid: as.uid, gid: as.gid }),
      },
    )
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += String(chunk)
    })
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
    if (code !== 0) throw new SetupProblem(`PostgreSQL could not make its cluster in ${data}; it said: ${explain(said.split('\n'))}`)
    await writeFile(join(unfinished, passwordFile), password, { mode: 0o600 })
    await rm(data, { recursive: true, force: true })
    await rename(unfinished, data)
  } finally {
    await rm(secrets, { recursive: true, force: true })
  }
}

/** Ends the server of an owner that is gone; refuses to touch the server of one that lives. */
async function endPredecessor(data: string): Promise<void> {
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0) || !(await commandLineOf(pid))?.includes(data)) return
  const owner = await readFile(join(data, ownerFile), 'utf8').catch(() => '')
  const ownerPid = Number(owner.split(' ')[0])
  if (owner && (await lifeOf(ownerPid)) === owner) {
    throw new SetupProblem(`PostgreSQL already runs over ${data}, started by process ${ownerPid}: stop that one first.`)
  }
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself in between.
    }
    if (await waitUntilGone(pid, data, 10_000)) return
  }
  throw new SetupProblem(`The PostgreSQL of an earlier run (process ${pid}) does not end: stop it by hand, then start again.`)
}

/** The lines that carry the reason, in one line. */
function explain(lines: readonly string[]): string {
  const reasons = lines.filter((line) => /FATAL|PANIC|ERROR|error:|HINT/.test(line))
  return (reasons.length > 0 ? reasons : lines).slice(-4).join(' ').trim() || 'nothing'
}
