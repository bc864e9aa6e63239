import { chown, cp, mkdir, readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  environmentOf,
  freePorts,
  type Mailbox,
  type Ports,
  prepareDatabase,
  type ServiceName,
  secretsOf,
  startMailbox,
  workloadKeysOf,
} from '@gatehouse/local'
import { natsServiceUsers, startNats, startPostgres } from '@gatehouse/testkit'

/** What the services in the images need and is not ours: Postgres, NATS and a mail server, on this machine. */
export interface House extends AsyncDisposable {
  readonly ports: Ports
  readonly mailbox: Mailbox
  /** What containers see as `/run`. */
  readonly files: string
  environment(name: ServiceName): Record<string, string>
}

/** Starts it under `work`, with files for `uid`. */
export async function openHouse(work: string, uid: number): Promise<House> {
  await using parts = new AsyncDisposableStack()
  const folder = join(work, 'house')
  await mkdir(folder, { recursive: true })
  const secrets = await secretsOf(folder)
  await workloadKeysOf(folder)
  const files = join(folder, 'run')
  await cp(join(folder, 'workloads'), files, { recursive: true })
  for (const name of ['.', ...(await readdir(files))]) await chown(join(files, name), uid, uid)
  const postgres = parts.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, keep: false }))
  const nats = parts.use(await startNats({ storeDir: join(folder, 'nats'), users: natsServiceUsers(secrets.nats), streams: true }))
  const free = await freePorts()
  const mailbox = parts.use(await startMailbox(free.smtp))
  await prepareDatabase(postgres.url, secrets.database)
  const inside = { ports: free, secrets, postgresUrl: postgres.url, natsUrl: nats.url, jwksFile: '/run/jwks.json' }
  const owned = parts.move()
  return {
    ports: free,
    mailbox,
    files,
    environment: (name) => environmentOf(name, { ...inside, keyFile: (workload) => `/run/${workload}.json` }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

/** Asks a port of this machine, as the gateway would: with the host that the browser asked for. */
export function ask(
  port: number,
  path: string,
  { body, headers = {} }: { body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: body ? 'POST' : 'GET',
        headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
        agent: false,
      },
      async (answer) => {
        const chunks: Buffer[] = []
        for await (const chunk of answer) chunks.push(chunk as Buffer)
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() })
      },
    )
    asked.on('error', reject).end(body && JSON.stringify(body))
  })
}

/** Asks until something comes of it. Throws with the last error after two minutes: a machine may be under load. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  let last: unknown
  for (const end = performance.now() + 120_000; performance.now() < end; await delay(20)) {
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      last = error
    }
  }
  throw new Error(`${what}: not within two minutes`, { cause: last })
}
