import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type NatsServer,
  natsServiceUsers,
  type OwnedProcess,
  type PostgresServer,
  type ProcessEnd,
  SetupProblem,
  startNats,
  startPostgres,
} from '@gatehouse/testkit'
import { keepAdminToken } from './admin-token.ts'
import { buildConsole } from './console-build.ts'
import { prepareDatabase } from './database.ts'
import { type EnvironmentParts, environmentOf, exampleEnvironment, originOf } from './environment.ts'
import { type Mailbox, startMailbox } from './mailbox.ts'
import { type Ports, type ServiceName, serviceNames } from './options.ts'
import { startOrigin } from './origin.ts'
import { runGatehouse } from './run-gatehouse.ts'
import { crashed, root, startServiceProcess, untilAcquainted, untilReady } from './service-process.ts'
import { secretsOf, workloadKeysOf, writeEnvironment } from './state.ts'

/** Options of {@link startLocal}. */
export interface LocalOptions {
  /** Where everything that lasts is kept. */
  readonly folder: string
  readonly ports: Ports
  /** False for tests: gives up what only matters when the machine loses power. */
  readonly durable?: boolean
  /** More variables for the services. */
  readonly extra?: Partial<Record<ServiceName, Record<string, string>>>
  /** Told what is being done. */
  readonly onStep?: (step: string) => void
  /** Told that a service died and what is done about it, in sentences for a person. */
  readonly onTrouble?: (sentence: string) => void
}

/** A whole Gatehouse on this machine. */
export interface Local extends AsyncDisposable {
  /** Such as `http://localhost:8080`. */
  readonly origin: string
  readonly ports: Ports
  readonly postgresUrl: string
  readonly natsUrl: string
  readonly mailbox: Mailbox
  /** A file with an administrator's bearer token that is always good for five minutes more. */
  readonly adminTokenFile: string
  /** The variables of a service. */
  environment(name: ServiceName): Record<string, string>
  /** Path of a workload's private key. */
  keyFile(name: string): string
  readonly jwksFile: string
  /** Runs the `gatehouse` command as the service would. */
  gatehouse(name: ServiceName, ...args: string[]): Promise<string>
  /** The process that serves as `name` now. */
  process(name: ServiceName): OwnedProcess
  /** Ends a service (with its drain, or with SIGKILL) so that it can be started again. */
  stopService(name: ServiceName, how?: 'drain' | 'kill'): Promise<void>
  startService(name: ServiceName): Promise<void>
  /** Stops Postgres or NATS, waits for `meanwhile`, and starts it again where it was. */
  interrupt(part: 'postgres' | 'nats', meanwhile?: () => Promise<void>): Promise<void>
  /** Settles with a sentence when a part ends by itself. */
  readonly broken: Promise<string>
}

/**
 * Starts embedded Postgres, NATS, the mailbox, the three services as processes of their own and the origin, and answers when all are ready.
 * @throws SetupProblem with a sentence for a person when a part cannot start.
 */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { folder, ports, onStep = () => undefined, onTrouble = () => undefined, extra = {} } = options
  await using parts = new AsyncDisposableStack()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [secrets, { jwksFile, keyFile }] = await Promise.all([secretsOf(folder), workloadKeysOf(folder)])

  onStep('Postgres, NATS and the pages')
  const pages = buildConsole().catch((error: unknown) => {
    throw new SetupProblem(`The pages cannot be built:\n${error instanceof Error ? error.message : String(error)}`)
  })
  pages.catch(() => undefined)
  const startable = {
    postgres: (port: number) => startPostgres({ dataDir: join(folder, 'postgres'), durable: options.durable ?? true, port }),
    nats: (port: number) => startNats({ storeDir: join(folder, 'nats'), users: natsServiceUsers(secrets.nats), streams: true, port }),
  }
  const running = new Map<'postgres' | 'nats', PostgresServer | NatsServer>()
  parts.defer(async () => {
    for (const server of running.values()) await server.stop()
  })
  async function startServer<T extends PostgresServer | NatsServer>(part: 'postgres' | 'nats', starting: Promise<T>): Promise<T> {
    const server = await starting
    running.set(part, server)
    void server.exited.then(
      ({ expected, lastLines }) => expected || breakWith(`${part} ended by itself. Its last lines:\n${lastLines.join('\n')}`),
    )
    return server
  }
  const { promise: broken, resolve: breakWith } = Promise.withResolvers<string>()
  const [postgres, nats, mailbox] = await settleAll([
    startServer('postgres', startable.postgres(0)),
    startServer('nats', startable.nats(0)),
    startMailbox(ports.smtp).then((it) => parts.use(it)),
  ])

  onStep('schemas and roles')
  await prepareDatabase(postgres.url, secrets.database)
  const environmentParts: EnvironmentParts = { ports, secrets, postgresUrl: postgres.url, natsUrl: nats.url, jwksFile, keyFile }
  const environment = (name: ServiceName) => ({ ...environmentOf(name, environmentParts), ...extra[name] })
  await settleAll(serviceNames.map((name) => writeEnvironment(folder, name, environment(name))))
  await writeEnvironment(folder, 'example', exampleEnvironment(environmentParts))
  const migrate = (name: ServiceName) =>
    runGatehouse(['migrate', name], environment(name)).catch((error: unknown) =>
      fail(`The schema of ${name} cannot be brought up to date (npm start -- --reset forgets everybody and starts anew)`, error),
    )

  const children = new Map<ServiceName, OwnedProcess>()
  parts.defer(async () => {
    await Promise.all([...children.values()].map((child) => child.stop()))
  })
  async function startService(name: ServiceName): Promise<void> {
    const child = await startServiceProcess(name, environment(name), folder)
    children.set(name, child)
    void child.exited.then((end) => {
      if (!end.expected && children.get(name) === child) reviveOrBreak(name, end)
    })
    await untilReady(name, child, ports.services[name].metrics)
  }
  const crashes: number[] = []
  // A service that died is named and started again, as a cluster would; one that keeps dying ends the whole.
  function reviveOrBreak(name: ServiceName, end: ProcessEnd): void {
    const sentence = crashed(name, end)
    crashes.push(performance.now())
    if (crashes.filter((time) => performance.now() - time < 60_000).length > 3) {
      breakWith(sentence)
      return
    }
    onTrouble(`${sentence}\nIt is started again.`)
    startService(name).then(
      () => onTrouble(`The ${name} service is ready again.`),
      (error: unknown) => breakWith(error instanceof Error ? error.message : String(error)),
    )
  }
  onStep('user, auth and notification')
  const adminTokenFile = join(folder, 'admin-token')
  const makeAdminToken = () => runGatehouse(['dev', 'admin-token'], environment('auth'))
  // Services wait for their schema by themselves: they load while it is brought up to date. The first that fails ends the start; what runs is stopped.
  await Promise.all([
    ...serviceNames.map(migrate),
    startService('user'),
    startService('notification'),
    startService('auth').then(async () => parts.use(await keepAdminToken(adminTokenFile, makeAdminToken, breakWith))),
  ])
  await Promise.all(serviceNames.map((name) => untilAcquainted(name, ports.services[name].web, new URL(originOf(ports)).host)))
  onStep('the origin')
  const origin = parts.use(
    await startOrigin({
      port: ports.origin,
      services: ports.services,
      mailbox,
      pages: await pages,
      openapi: join(root, 'packages/contracts/openapi.json'),
    }),
  )
  const owned = parts.move()
  return {
    origin: originOf({ ...ports, origin: origin.port }),
    ports,
    postgresUrl: postgres.url,
    natsUrl: nats.url,
    mailbox,
    adminTokenFile,
    environment,
    keyFile,
    jwksFile,
    gatehouse: (name, ...args) => runGatehouse(args, environment(name)),
    process: (name) => children.get(name) as OwnedProcess,
    async stopService(name, how = 'drain') {
      const child = children.get(name)
      children.delete(name)
      if (!child) return
      if (how === 'drain') await child.stop()
      else {
        process.kill(child.pid, 'SIGKILL')
        await child.exited
      }
    },
    startService,
    async interrupt(part, meanwhile) {
      const server = running.get(part)
      await server?.stop()
      await meanwhile?.()
      await startServer(part, startable[part](server?.port ?? 0))
    },
    broken,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Like `Promise.all`, but waits for all, so that what did start is known when one did not. */
async function settleAll<T extends readonly unknown[]>(promises: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  const results = await Promise.allSettled(promises)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T
}

function fail(sentence: string, error: unknown): never {
  const said = (error as { stderr?: string }).stderr?.replace(/^gatehouse: /, '')
  throw new SetupProblem(`${sentence}:\n${said || (error instanceof Error ? error.message : String(error))}`)
}
