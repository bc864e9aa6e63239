import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { natsServiceUsers } from '@gatehouse/testkit'
import { type Logins, operatorSecrets, rolesSql } from './database-logins.ts'
import { type Secret, secret } from './secret.ts'

const services = ['user', 'auth', 'notification'] as const
type ServiceName = (typeof services)[number]

/** Where Postgres and NATS are, as the pods reach them. */
export interface Places {
  /** `host:port` of Postgres. Default: where the example with CloudNativePG has it. */
  readonly postgres?: string | undefined
  /** `host:port` of a pooler that the services go through, and their migrations do not. */
  readonly pooler?: string | undefined
  /** `host:port` of the NATS servers, separated by commas. Default: those of deploy/nats. */
  readonly nats?: string | undefined
  /** Without TLS, where something else encrypts or nothing has to. */
  readonly plaintext?: boolean
  /** What the mail relay asks for; made up unless given. */
  readonly smtpPassword?: string | undefined
}

/** Everything secret that a first installation needs, with one set of passwords. */
export interface FirstSecrets {
  /** What the pods of the services and of NATS mount. */
  readonly mounted: readonly Secret[]
  /** What an operator of Postgres makes the logins by. */
  readonly forOperator: readonly Secret[]
  /** What makes the same logins, and what is theirs, in a Postgres of one's own. */
  readonly rolesSql: string
  /** The users of NATS with their rights, for a server that reads one file, such as that of the overlay `kind`. */
  readonly natsAccounts: string
}

// No character of it means anything in a URL, in SQL or in NATS's notation.
const password = (): string => randomBytes(24).toString('hex')
const key = (): string => randomBytes(32).toString('base64')

const operatorsPostgres = 'postgres-rw.postgres.svc.cluster.local:5432'
const ownNats = [0, 1, 2].map((node) => `nats-${node}.nats-headless.nats.svc.cluster.local:4222`).join(',')

/** Made up anew by each call. */
export async function firstSecrets(places: Places = {}): Promise<FirstSecrets> {
  const { postgres = operatorsPostgres, pooler = postgres, nats = ownNats, plaintext = false, smtpPassword = password() } = places
  // Who logs in is `_a` or `_b`, by turns; `_migrator` owns the tables.
  const ends = ['a', 'b', 'migrator']
  const logins: Logins = Object.fromEntries(services.flatMap((name) => ends.map((end) => [`gatehouse_${name}_${end}`, password()])))
  const broker = { user: password(), auth: password(), notification: password(), streams: password(), subscriber: password() }
  const verified = plaintext ? '' : '?sslmode=verify-full&sslrootcert=/etc/gatehouse/trust/ca.crt'
  const databaseUrl = (login: string, place: string) => `postgres://${login}:${logins[login]}@${place}/gatehouse${verified}`
  const natsUrl = (name: ServiceName | 'streams') =>
    nats
      .split(',')
      .map((place) => `${plaintext ? 'nats' : 'tls'}://${name}:${broker[name]}@${place}`)
      .join(',')
  const ours = services.flatMap((name) => [
    secret('gatehouse', `${name}-secrets`, {
      DATABASE_URL: databaseUrl(`gatehouse_${name}_a`, pooler),
      NATS_URL: natsUrl(name),
      REQUEST_KEY: key(),
      ...(name === 'auth' && { AUTH_KEY_ENCRYPTION_KEY: key(), AUTH_CHALLENGE_KEY: key() }),
      ...(name === 'notification' && { SMTP_PASSWORD: smtpPassword }),
    }),
    secret('gatehouse', `${name}-migration`, {
      DATABASE_URL: databaseUrl(`gatehouse_${name}_migrator`, postgres),
      NATS_URL: natsUrl('streams'),
    }),
  ])
  // In SQL the other login gets its password when it is its turn.
  const first = Object.fromEntries(Object.entries(logins).filter(([login]) => !login.endsWith('_b')))
  return {
    mounted: [...ours, await natsPasswords(broker)],
    forOperator: operatorSecrets(logins),
    rolesSql: await rolesSql(first),
    natsAccounts: natsAccounts(broker),
  }
}

type Broker = Readonly<Record<ServiceName | 'streams' | 'subscriber', string>>

async function natsPasswords(broker: Broker): Promise<Secret> {
  // Whoever else has a line in users.conf, such as other teams' subscribers, gets a password too: nats-server starts with none missing.
  const file = await readFile(new URL('../../nats/users.conf', import.meta.url), 'utf8')
  const ours: Readonly<Record<string, string>> = broker
  const lines = [...file.matchAll(/\$password_of_([\w-]+)/g)].map(([, name = '']) => `password_of_${name}: "${ours[name] ?? password()}"\n`)
  return secret('nats', 'nats-passwords', { 'passwords.conf': lines.join('') })
}

function natsAccounts(broker: Broker): string {
  const users = natsServiceUsers(broker).map(({ name: user, ...more }) => ({ user, ...more }))
  return JSON.stringify({ accounts: { GATEHOUSE: { jetstream: 'enabled', users } } }, undefined, 2)
}

/** For the overlays `kind` and `development`, whose Postgres makes its roles by a script when it starts. */
export async function kindSecrets(): Promise<readonly Secret[]> {
  const made = await firstSecrets({ postgres: 'postgres.postgres:5432', nats: 'nats.nats:4222', plaintext: true })
  return [
    ...made.mounted.filter(({ metadata }) => metadata.name !== 'nats-passwords'),
    secret('nats', 'nats-passwords', { 'accounts.json': made.natsAccounts }),
    secret('postgres', 'gatehouse-roles', { 'roles.sql': made.rolesSql, POSTGRES_PASSWORD: password() }),
  ]
}
