import { connect, type Db } from '@gatehouse/postgres'
import { migrationsOf } from '@gatehouse/service'
import { createLogger } from '@gatehouse/telemetry'
import { testDatabase } from '@gatehouse/testkit'
import { v7 as uuidv7 } from 'uuid'
import { deliver } from '../src/core/deliveries/deliver.ts'
import { createFindReader } from '../src/core/deliveries/find-reader.ts'
import { createMarkDelivered } from '../src/core/deliveries/mark-delivered.ts'
import type { Deps } from '../src/core/deps.ts'
import { createMailer, type MailerOptions } from '../src/core/mail/mailer.ts'
import { migrations } from '../src/store/migrations/index.ts'
import type { Schema } from '../src/store/schema.ts'
import { type MailWorker, type MailWorkerOptions, startMailWorker } from '../src/workers/deliver-mail.ts'
import { type MailServer, type MailServerOptions, startMailServer } from './mail-server.ts'
import { createPeers, origin, type Peers } from './peers.ts'

/** The service without its doors: a real database, a real mail server, and peers that are plain objects. */
export interface Scene extends AsyncDisposable {
  readonly databaseUrl: string
  readonly db: Db<Schema>
  readonly peers: Peers
  readonly deps: Deps
  readonly mailServer: MailServer
  /** A tenant of this scene alone. */
  readonly tenant: string
  addPerson(person?: Parameters<Peers['people']['set']>[1]): string
  startWorker(options?: Partial<MailWorkerOptions>): MailWorker
}

export interface SceneOptions {
  readonly mailServer?: MailServerOptions
  readonly mailer?: Partial<MailerOptions>
  readonly rules?: Partial<Deps['rules']>
}

export async function openScene({ mailServer: manners, mailer: mailing, rules }: SceneOptions = {}): Promise<Scene> {
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await testDatabase({ service: 'notification', sets: migrationsOf(migrations) }))
  const db = parts.use(connect<Schema>({ url: database.url })).kysely
  const mailServer = parts.use(await startMailServer(manners))
  const mailer = parts.use(createMailer({ ...mailerDefaults, port: mailServer.port, ...mailing }))
  const peers = createPeers()
  const workers = parts.use(new AsyncDisposableStack())
  const started: MailWorker[] = []
  const tenant = 'default'
  const deps: Deps = {
    db,
    users: peers.users,
    findReader: createFindReader(peers),
    challenges: peers.challenges,
    originOf: () => origin,
    sendMail: mailer.send,
    markDelivered: createMarkDelivered({ db, committed() {} }),
    log: createLogger({ service: 'notification', level: 'silent' }),
    brand: 'Gatehouse',
    rules: { maxAttempts: 5, maxAgeSeconds: 60, firstDelaySeconds: 0.02, maxDelaySeconds: 0.1, ...rules },
    random: Math.random,
    committed() {},
    mailWaits: () => {
      for (const worker of started) worker.wake()
    },
    inboxChanged() {},
  }
  const owned = parts.move()
  return {
    databaseUrl: database.url,
    db,
    peers,
    deps,
    mailServer,
    tenant,
    addPerson(person = {}) {
      const id = uuidv7()
      peers.people.set(`${tenant} ${id}`, { id, name: 'Ada', email: `${id}@example.com`, ...person })
      return id
    },
    startWorker(options = {}) {
      const worker = startMailWorker({
        db,
        log: deps.log,
        deliver: (delivery, hand) => deliver(deps, delivery, hand),
        concurrency: { urgent: 4, ordinary: 2 },
        leaseSeconds: 10,
        pollMs: 20,
        drainMs: 5000,
        ...options,
      })
      started.push(worker)
      return workers.use(worker)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export const mailerDefaults: MailerOptions = {
  host: '127.0.0.1',
  port: 0,
  security: 'none',
  connections: 8,
  timeoutMs: 5000,
  sendTimeoutMs: 5000,
  from: { name: 'Gatehouse', address: 'no-reply@example.com' },
}
