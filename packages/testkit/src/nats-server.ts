import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findNatsServer } from './nats-binary.ts'
import type { NatsUser } from './nats-permissions.ts'
import { commandLineOf, lifeOf, type OwnedProcess, type ProcessEnd, startOwned, waitUntilGone } from './owned-process.ts'
import { SetupProblem } from './setup-problem.ts'

export type NatsOptions = {
  /** Where JetStream keeps its streams; made when it is missing. */
  readonly storeDir: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** Who may connect. None, the default, lets every program on this machine in without a name: for tests only. */
  readonly users?: readonly NatsUser[]
  /** Makes the streams of the three services before it answers, as whoever of `users` may; a server without them unless given. */
  readonly streams?: boolean
  /** Makes it one server of a cluster; alone unless given. */
  readonly cluster?: NatsClusterPlace
  /** When what was written has to be on the disk: `always` before it is acknowledged, else after so long. nats-server's own default is two minutes. */
  readonly syncInterval?: string
  /** The program; by default findNatsServer() looks for it. */
  readonly binary?: string
  readonly log?: (line: string) => void
}

/** One server's place in a cluster on this machine. Ports have to be known before any of its servers runs. */
export type NatsClusterPlace = {
  readonly cluster: string
  /** Unique in the cluster; under it JetStream knows the server again. */
  readonly server: string
  /** Where the others find it. */
  readonly port: number
  /** Of all servers of the cluster; its own may be among them. */
  readonly ports: readonly number[]
  /** Of its monitoring, over HTTP. */
  readonly monitorPort: number
}

export type NatsServer = AsyncDisposable & {
  /** Without credentials: users give their name and password to their client. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly exited: Promise<ProcessEnd>
  /** Calling twice is harmless. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a nats-server with JetStream on 127.0.0.1, one account, and exactly these users. It dies with this process.
 * What a killed predecessor left running over the same folder is ended first.
 * Throws SetupProblem when there is no usable nats-server, the port is taken, or another live process runs this store.
 */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const binary = options.binary ?? (await findNatsServer(options.log && { log: options.log }))
  const storeDir = resolve(options.storeDir)
  await mkdir(storeDir, { recursive: true, mode: 0o700 })
  const config = join(storeDir, 'gatehouse-nats.json')
  await endPredecessor(storeDir, config)
  const portsFolder = await mkdtemp(join(tmpdir(), 'gatehouse-nats-'))
  try {
    // Passwords stand in it: a file that was there keeps its mode, so it is made anew.
    await rm(config, { force: true })
    await writeFile(config, JSON.stringify(configuration(options, storeDir, portsFolder), undefined, 2), { mode: 0o600 })
    await chmod(config, 0o600)
    const server = await startOwned({
      command: binary,
      args: ['-c', config],
      stopSignal: 'SIGTERM',
      insistSignal: 'SIGKILL',
      graceMs: 10_000,
      cwd: storeDir,
      ...(options.log && { log: options.log }),
    })
    // At once: a server that finds others of its cluster has more to say than is remembered.
    const ready = server.line((line) => line.includes('Server is ready'), 30_000)
    await writeFile(join(storeDir, ownerFile), `${server.pid}\n${(await lifeOf(process.pid)) ?? ''}`)
    // A server that is slow to start writes no such file: where the port is known it is not needed.
    const port = (await ready) && (options.port || (await listeningPort(portsFolder)))
    if (!port) throw await failure(server, options)
    if (options.streams) {
      // Its client takes longer to load than most tests of other things take.
      const { makeStreams } = await import('./make-streams.ts')
      await makeStreams(port, options.users).catch(async (error: unknown) => {
        await server.stop()
        throw error
      })
    }
    return running(server, port)
  } finally {
    await rm(portsFolder, { recursive: true, force: true })
  }
}

const ownerFile = 'gatehouse-owner'

function running(server: OwnedProcess, port: number): NatsServer {
  const stop = async (): Promise<void> => void (await server.stop())
  return { url: `nats://127.0.0.1:${port}`, port, pid: server.pid, exited: server.exited, stop, [Symbol.asyncDispose]: stop }
}

/** nats-server reads JSON as a form of its own notation. */
function configuration({ port = 0, users, cluster, syncInterval }: NatsOptions, storeDir: string, portsFolder: string): unknown {
  for (const { name, password } of users ?? []) {
    if (!/^[\w-]{16,}$/.test(password)) throw new TypeError(`the password of NATS user ${name} needs at least 16 base64url characters`)
  }
  return {
    host: '127.0.0.1',
    port: port || -1,
    server_name: cluster?.server ?? 'gatehouse',
    ports_file_dir: portsFolder,
    jetstream: { store_dir: storeDir, ...(syncInterval !== undefined && { sync_interval: syncInterval }) },
    ...(cluster && {
      http: `127.0.0.1:${cluster.monitorPort}`,
      cluster: {
        name: cluster.cluster,
        host: '127.0.0.1',
        port: cluster.port,
        routes: cluster.ports.map((route) => `nats-route://127.0.0.1:${route}`),
        // Clients go by the addresses that they were given: there may be something between.
        no_advertise: true,
      },
    }),
    ...(users && {
      accounts: {
        GATEHOUSE: {
          jetstream: 'enabled',
          users: users.map(({ name, password, permissions }) => ({ user: name, password, ...(permissions && { permissions }) })),
        },
      },
    }),
  }
}

/** The server writes `<program>_<pid>.ports` about when it says that it is ready, not before, and not in one piece. */
async function listeningPort(folder: string): Promise<number | undefined> {
  for (const end = Date.now() + 10_000; Date.now() < end; await delay(5)) {
    const [name] = await readdir(folder)
    const text = name ? await readFile(join(folder, name), 'utf8') : ''
    const port = /"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1]
    if (port) return Number(port)
  }
  return undefined
}

async function failure(server: OwnedProcess, { port, storeDir }: NatsOptions): Promise<SetupProblem> {
  const { lastLines } = await server.stop()
  if (lastLines.some((line) => line.includes('address already in use')))
    return new SetupProblem(`Port ${port} for NATS is taken: free it, or choose another.`)
  const reasons = lastLines.filter((line) => /\[(FTL|ERR)\]|nats-server:/.test(line))
  return new SetupProblem(
    `nats-server did not start over ${storeDir}; it said: ${(reasons.length ? reasons : lastLines).slice(-3).join(' ') || 'nothing'}`,
  )
}

/** Ends the server of an owner that is gone; refuses to touch the server of one that lives. */
async function endPredecessor(storeDir: string, config: string): Promise<void> {
  const [server = '', owner = ''] = (await readFile(join(storeDir, ownerFile), 'utf8').catch(() => '')).split('\n')
  const pid = Number(server)
  if (!(pid > 0) || !(await commandLineOf(pid))?.includes(config)) return
  const ownerPid = Number(owner.split(' ')[0])
  if (owner && (await lifeOf(ownerPid)) === owner)
    throw new SetupProblem(`NATS already runs over ${storeDir}, started by process ${ownerPid}: stop that one first.`)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself in between.
    }
    if (await waitUntilGone(pid, config, 10_000)) return
  }
  throw new SetupProblem(`The nats-server of an earlier run (process ${pid}) does not end: stop it by hand, then start again.`)
}
