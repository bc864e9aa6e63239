import { connect } from '@gatehouse/postgres'
import { createLogger } from '@gatehouse/telemetry'
import { deliver } from '../src/core/deliveries/deliver.ts'
import { createFindReader } from '../src/core/deliveries/find-reader.ts'
import { createMarkDelivered } from '../src/core/deliveries/mark-delivered.ts'
import { createMailer } from '../src/core/mail/mailer.ts'
import type { Schema } from '../src/store/schema.ts'
import { startMailWorker } from '../src/workers/deliver-mail.ts'
import { createPeers } from './peers.ts'
import { mailerDefaults } from './scene.ts'

// A process that sends mail until somebody kills it: node send-until-killed.ts <database url> <smtp port> <user id> <lease seconds>
const [databaseUrl = '', port = '', userId = '', leaseSeconds = ''] = process.argv.slice(2)
const { kysely: db } = connect<Schema>({ url: databaseUrl })
const peers = createPeers()
peers.people.set(`default ${userId}`, { id: userId, name: 'Ada', email: 'ada@example.com' })
const log = createLogger({ service: 'notification', level: 'silent' })
const mailer = createMailer({ ...mailerDefaults, port: Number(port) })
const deps = {
  db,
  log,
  users: peers.users,
  findReader: createFindReader(peers),
  challenges: peers.challenges,
  originOf: () => 'https://id.example.com',
  sendMail: mailer.send,
  markDelivered: createMarkDelivered({ db, committed() {} }),
  brand: 'Gatehouse',
  rules: { maxAttempts: 5, maxAgeSeconds: 60, firstDelaySeconds: 1, maxDelaySeconds: 1 },
  random: Math.random,
  committed() {},
  mailWaits() {},
  inboxChanged() {},
}
startMailWorker({
  db,
  log,
  deliver: (delivery, hand) => deliver(deps, delivery, hand),
  concurrency: { urgent: 2, ordinary: 1 },
  leaseSeconds: Number(leaseSeconds),
  pollMs: 20,
  drainMs: 0,
})
