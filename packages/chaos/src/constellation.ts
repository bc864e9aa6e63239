import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EnvironmentParts,
  environmentOf,
  originOf,
  runGatehouse,
  type ServiceName,
  secretsOf,
  serviceNames,
  workloadKeysOf,
} from '@gatehouse/local'
import pg from 'pg'
import { administratorToken } from './administrator-token.ts'
import { History } from './history.ts'
import { Links, natsNames } from './links.ts'
import { Publications } from './publications.ts'
import { createRandom, type Random } from './random.ts'
import { Replica } from './replica.ts'
import { gatehouseUrl, type ServerNeeds, type Servers, startServers } from './servers.ts'
import { shortenAckWait } from './short-waits.ts'
import type { StrangeMessage } from './strange-event.ts'

export interface HouseOptions extends ServerNeeds {
  readonly seed: number
  /** Two of each unless given. */
  readonly replicas?: number
  /** More variables for the services. */
  readonly extra?: Partial<Record<ServiceName, Record<string, string>>>
  /** The checkout whose migrations make the schema; the own one unless given. */
  readonly schemaOf?: string
  /** The checkout whose code the replicas run at first; the own one unless given. */
  readonly codeOf?: string
  /** Services reach Postgres through PgBouncer in transaction mode. */
  readonly throughPooler?: boolean
  /** Where history and logs are kept; a folder that is gone afterwards unless given. */
  readonly folder?: string
}

/** A whole Gatehouse of several replicas, every link of which can be broken. */
export interface Constellation extends AsyncDisposable {
  readonly folder: string
  readonly random: Random
  readonly history: History
  /** What a browser sends as Host. */
  readonly host: string
  readonly replicas: readonly Replica[]
  readonly links: Links
  readonly servers: Servers
  readonly publications: Publications
  /** What a scenario put into the streams past every relay. */
  readonly strange: StrangeMessage[]
  /** What went wrong and nobody did: a service that ended by itself. */
  readonly troubles: string[]
  of(service: ServiceName): readonly Replica[]
  /** Asks the services' database as the superuser; schemas are called `gatehouse_<service>`. */
  sql<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Path of a workload's private key. */
  keyFile(name: string): string
  /** Runs the `gatehouse` command as the service would, past its links to the servers. */
  gatehouse(service: ServiceName, args: readonly string[], tree?: string): Promise<string>
  /** Bearer token of an administrator, good for a minute more at least. */
  adminToken(): Promise<string>
  /** Ends every fault: links are healed, the frozen thawed, the dead started; settles when all are ready. */
  restore(): Promise<void>
}

/** Mails and retries take seconds in a house where nobody waits for real mail servers. */
const impatient: Partial<Record<ServiceName, Record<string, string>>> = {
  notification: { MAIL_LEASE: '3s', MAIL_FIRST_DELAY: '500ms', MAIL_MAX_DELAY: '2s', SMTP_TIMEOUT: '2s' },
}

/** Opens one in a folder of its own, and answers when all replicas are ready. */
export async function openConstellation(options: HouseOptions): Promise<Constellation> {
  await using opening = new AsyncDisposableStack()
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'gatehouse-chaos-')))
  if (options.folder === undefined) opening.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(folder, { recursive: true })
  const random = createRandom(options.seed)
  const history = opening.use(new History(join(folder, 'history.ndjson')))
  const onFault = (fault: string) => history.fault(fault)
  const troubles: string[] = []

  const [secrets, { jwksFile, keyFile }] = await Promise.all([secretsOf(folder), workloadKeysOf(folder)])
  const servers = opening.use(
    await startServers(folder, secrets, { ...options, onCrash: (line) => troubles.push(`Postgres crashed: ${line}`) }),
  )
  const none = { grpc: 0, web: 0, metrics: 0 }
  // Nobody listens at the origin: its port is a name that browsers would send.
  const ports = { origin: 8080, smtp: servers.mail.port, services: { user: none, auth: none, notification: none } }
  const direct = (): EnvironmentParts => ({
    ports,
    secrets,
    postgresUrl: servers.postgres.url,
    natsUrl: servers.brokers.urls[0] ?? '',
    jwksFile,
    keyFile,
  })
  const links: { now?: Links } = {}
  const at = (name: string) => links.now?.at(name).port ?? 0
  const peerUrls = (service: ServiceName) => {
    const peers = serviceNames.filter((peer) => peer !== service && links.now?.matching(new RegExp(`^${service}→${peer}\\.`)).length)
    return Object.fromEntries(peers.map((peer) => [`${peer.toUpperCase()}_URL`, links.now?.urlOf(service, peer) ?? '']))
  }
  const commandEnvironment = (name: ServiceName) => ({
    ...onPorts(
      environmentOf(name, direct()),
      servers.brokers.nodes.map(({ port }) => port),
    ),
    ...peerUrls(name),
    ...options.extra?.[name],
  })
  function environment(service: ServiceName, name: string): Record<string, string> {
    const through = (url: string, link: string) => Object.assign(new URL(url), { port: String(at(link)) }).href
    const parts = direct()
    const own = environmentOf(service, {
      ...parts,
      ports: { ...ports, ...(service === 'notification' && { smtp: at(`${name}→smtp`) }) },
      postgresUrl: through(parts.postgresUrl, `${name}→postgres`),
    })
    return {
      ...onPorts(
        own,
        natsNames(servers.brokers.nodes.length).map((nats) => at(`${name}→${nats}`)),
      ),
      ...peerUrls(service),
      ...impatient[service],
      ...options.extra?.[service],
    }
  }
  const perService = options.replicas ?? 2
  const replicas = serviceNames.flatMap((service) =>
    Array.from({ length: perService }, (_, index) => {
      const name = `${service}.${index}`
      const replica = new Replica({
        service,
        index,
        folder,
        environment: () => environment(service, name),
        onFault,
        onTrouble: (sentence) => troubles.push(sentence),
      })
      replica.tree = options.codeOf
      return replica
    }),
  )
  links.now = opening.use(
    await Links.open({
      replicas,
      random,
      onFault,
      servers: () => ({
        postgres: servers.pooled?.pooler.port ?? servers.databases.service.server.port,
        nats: servers.brokers.nodes.map(({ port }) => port),
        smtp: servers.mail.port,
      }),
    }),
  )
  opening.defer(async () => void (await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()))))

  const gatehouse = (service: ServiceName, args: readonly string[], tree?: string) => runGatehouse(args, commandEnvironment(service), tree)
  // Services wait for their schema by themselves: they load while it is made. The others follow, because ten programs that begin at once begin late.
  await Promise.all([
    ...serviceNames.map((name) => patiently(() => gatehouse(name, ['migrate', name], options.schemaOf))),
    ...replicas.filter((_, at) => at % perService === 0).map((replica) => replica.start()),
  ])
  // By the code that the house began with: newer commands refuse an older schema.
  const adminToken = administratorToken(() => patiently(() => gatehouse('auth', ['dev', 'admin-token'], options.codeOf)))
  await Promise.all([adminToken(), ...replicas.filter(({ isUp }) => !isUp).map((replica) => replica.start())])
  const asked = new Map<string, pg.Pool>()
  const pool = (url = gatehouseUrl(servers.postgres.url)): pg.Pool => {
    const found = asked.get(url) ?? new pg.Pool({ connectionString: url, max: 4 })
    // A server that is stopped ends its idle connections: the next question makes another.
    if (!asked.has(url)) found.on('error', () => undefined)
    asked.set(url, found)
    return found
  }
  opening.defer(async () => void (await Promise.all([...asked.values()].map((each) => each.end()))))
  const publications = opening.use(await Publications.watch(servers))
  await shortenAckWait(servers)

  const owned = opening.move()
  return {
    folder,
    random,
    history,
    host: new URL(options.extra?.auth?.PUBLIC_ORIGIN ?? originOf(ports)).host,
    replicas,
    links: links.now,
    servers,
    publications,
    strange: [],
    troubles,
    sql: async <Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []) =>
      (await pool().query<Row>(statement, [...values])).rows,
    of: (service) => replicas.filter((replica) => replica.service === service),
    keyFile,
    gatehouse,
    adminToken,
    async restore() {
      await links.now?.heal()
      await Promise.all([servers.brokers.startAll(), servers.databases.startPrimary()])
      await Promise.all(replicas.map((replica) => replica.thaw()))
      await Promise.all(replicas.filter(({ isUp }) => !isUp).map((replica) => replica.start()))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The same environment with these ports of the broker's servers. */
function onPorts(environment: Record<string, string>, nats: readonly number[]): Record<string, string> {
  const url = environment.NATS_URL ?? ''
  return { ...environment, NATS_URL: nats.map((port) => Object.assign(new URL(url), { port: String(port) }).href).join() }
}

/** A command that finds the machine at its worst moment is run again. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}
