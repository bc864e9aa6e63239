import { readFileSync } from 'node:fs'
import { createClient } from '@connectrpc/connect'
import { latest } from '@gatehouse/config'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type App, openService, served } from '@gatehouse/service'
import { type NotificationConfig, sendTimeoutMs, upgradesToTls } from './config.ts'
import { consumersOf } from './consumers/index.ts'
import { deliver } from './core/deliveries/deliver.ts'
import { createFindReader } from './core/deliveries/find-reader.ts'
import { createMarkDelivered } from './core/deliveries/mark-delivered.ts'
import type { Deps } from './core/deps.ts'
import { createInboxHub } from './core/inbox/inbox-hub.ts'
import { createMailer, type Mailer } from './core/mail/mailer.ts'
import { warmTemplates } from './core/mail/render.ts'
import { inboxService } from './rpc/inbox-service.ts'
import { notificationService } from './rpc/notification-service.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'
import { startCleanUp } from './workers/clean-up.ts'
import { type MailWorker, startMailWorker } from './workers/deliver-mail.ts'
import { shareInboxNudges } from './workers/inbox-nudges.ts'
import { createDeliveryTracer } from './workers/trace-delivery.ts'

/** Builds the service and opens its doors. Aborting `signal` ends a start that still waits for the schema. */
export async function createApp(config: NotificationConfig, signal?: AbortSignal): Promise<App> {
  warmTemplates()
  await using opening = new AsyncDisposableStack()
  const mailer = opening.use(openMailer(config))
  const service = await openService<Schema>({ name: 'notification', config, migrations, ...(signal && { signal }) })
  const { db, log, identity, requestKeys, requestsKeptSeconds } = service
  const hub = opening.use(createInboxHub({ db, log }))
  const nudges = opening.use(shareInboxNudges(service.nats, hub.nudge))
  let worker: MailWorker | undefined

  const users = createClient(UserService, service.peer('user'))
  const deps: Deps = {
    db,
    log,
    users,
    findReader: createFindReader({ users }),
    challenges: createClient(ChallengeService, service.peer('auth')),
    originOf: (tenant) => identity.issuers.issuer(tenant)?.origin,
    sendMail: mailer.send,
    markDelivered: createMarkDelivered({ db, committed: service.committed }),
    brand: config.mailBrand,
    rules: {
      maxAttempts: config.mailAttempts,
      maxAgeSeconds: 86_400,
      firstDelaySeconds: config.mailFirstDelay / 1000,
      maxDelaySeconds: config.mailMaxDelay / 1000,
    },
    random: Math.random,
    committed: service.committed,
    mailWaits: () => worker?.wake(),
    inboxChanged(key) {
      hub.nudge(key)
      nudges.send(key)
    },
  }
  const startSending = (): MailWorker => {
    const traced = createDeliveryTracer()
    const urgent = Math.ceil((config.smtpConnections * 2) / 3)
    worker = startMailWorker({
      db,
      log,
      deliver: (delivery, hand) => traced(delivery, () => deliver(deps, delivery, hand)),
      concurrency: { urgent, ordinary: config.smtpConnections - urgent },
      leaseSeconds: config.mailLease / 1000,
      pollMs: 250,
      drainMs: config.drainTimeout,
    })
    return worker
  }
  const cleanUp = () =>
    startCleanUp({ db, log, notificationsKeptSeconds: config.notificationsKept / 1000, inboxKeptSeconds: config.inboxKept / 1000 })
  // Awaited here: what is opened above is disposed when this function is left.
  return await service.serve({
    rpc: [
      served(NotificationService, notificationService(deps, { requestKeys, requestsKeptSeconds })),
      served(InboxService, inboxService(deps, hub)),
    ],
    consumers: consumersOf(deps),
    workers: [() => opening.move(), startSending, cleanUp],
  })
}

function openMailer(config: NotificationConfig): Mailer {
  const url = new URL(config.smtpUrl)
  const tls = url.protocol === 'smtps:'
  const { dkimDomain, dkimSelector, dkimPrivateKey } = config
  return createMailer({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls ? 465 : 587) : Number(url.port),
    security: tls ? 'tls' : upgradesToTls(config) ? 'starttls' : 'none',
    user: config.smtpUser,
    ...(config.smtpPassword !== undefined && { password: latest('SMTP_PASSWORD', config.smtpPassword) }),
    ...(config.smtpCaFile !== undefined && { caCertificate: readFileSync(config.smtpCaFile, 'utf8') }),
    connections: config.smtpConnections,
    timeoutMs: config.smtpTimeout,
    sendTimeoutMs: sendTimeoutMs(config),
    from: config.mailFrom,
    ...(dkimDomain !== undefined &&
      dkimSelector !== undefined &&
      dkimPrivateKey !== undefined && {
        dkim: { domain: dkimDomain, selector: dkimSelector, privateKey: latest('DKIM_PRIVATE_KEY', dkimPrivateKey) },
      }),
    unsubscribe: config.mailUnsubscribe,
  })
}
