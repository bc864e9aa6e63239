import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { natsServiceUsers } from '@gatehouse/testkit'

const services = ['user', 'auth', 'notification'] as const
type ServiceName = (typeof services)[number]

/** Where Postgres and NATS are, as the pods reach them. */
export interface Places {
  /** `host:port` of Postgres. */
  readonly postgres: string
  /** `host:port` of the NATS servers, separated by commas. */
  readonly nats: string
  /** Without TLS, where something else encrypts or nothing has to. */
  readonly plaintext?: boolean
  /** What the mail relay asks for; made up unless given. */
  readonly smtpPassword?: string
}

/** A Secret as `kubectl apply` takes it. */
export interface Secret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly stringData: Readonly<Record<string, string>>
}

// No character of it means anything in a URL, in SQL or in NATS's notation.
const password = (): string => randomBytes(24).toString('hex')
const key = (): string => randomBytes(32).toString('base64')

/**
 * Everything secret that a first installation needs, made up anew by each call: what the pods of the three services mount, the SQL that makes their roles
 * with these passwords, and what NATS asks of them.
 */
export async function firstSecrets({ postgres, nats, plaintext = false, smtpPassword = password() }: Places): Promise<readonly Secret[]> {
  // Who logs in is `_a` or `_b`, by turns; `_migrator` owns the tables.
  const roles = services.flatMap((name) => [`gatehouse_${name}_a`, `gatehouse_${name}_migrator`])
  const database = Object.fromEntries(roles.map((role) => [role, password()]))
  const broker = { user: password(), auth: password(), notification: password(), streams: password(), subscriber: password() }
  const verified = plaintext ? '' : '?sslmode=verify-full&sslrootcert=/etc/gatehouse/trust/ca.crt'
  const databaseUrl = (role: string) => `postgres://${role}:${database[role]}@${postgres}/gatehouse${verified}`
  const natsUrl = (name: ServiceName | 'streams') =>
    nats
      .split(',')
      .map((place) => `${plaintext ? 'nats' : 'tls'}://${name}:${broker[name]}@${place}`)
      .join(',')
  const ours = services.flatMap((name) => [
    secret('gatehouse', `${name}-secrets`, {
      DATABASE_URL: databaseUrl(`gatehouse_${name}_a`),
      NATS_URL: natsUrl(name),
      REQUEST_KEY: key(),
      ...(name === 'auth' && { AUTH_KEY_ENCRYPTION_KEY: key(), AUTH_CHALLENGE_KEY: key() }),
      ...(name === 'notification' && { SMTP_PASSWORD: smtpPassword }),
    }),
    secret('gatehouse', `${name}-migration`, { DATABASE_URL: databaseUrl(`gatehouse_${name}_migrator`), NATS_URL: natsUrl('streams') }),
  ])
  const users = natsServiceUsers(broker).map(({ name: user, ...more }) => ({ user, ...more }))
  // Whoever else has a line in users.conf, such as other teams' subscribers, gets a password too: nats-server starts with none missing.
  const named = [...(await committed('nats/users.conf')).matchAll(/\$password_of_([\w-]+)/g)].map(([, name = '']) => name)
  const all: Readonly<Record<string, string>> = { ...Object.fromEntries(named.map((name) => [name, password()])), ...broker }
  const passwords = Object.entries(all).map(([name, each]) => `password_of_${name}: "${each}"\n`)
  return [
    ...ours,
    secret('postgres', 'gatehouse-roles', { 'roles.sql': await rolesSql(database), POSTGRES_PASSWORD: password() }),
    secret('nats', 'nats-passwords', {
      'passwords.conf': passwords.join(''),
      // For a server that knows no files but one, such as that of the overlay `kind`.
      'accounts.json': JSON.stringify({ accounts: { GATEHOUSE: { jetstream: 'enabled', users } } }, undefined, 2),
    }),
  ]
}

function secret(namespace: string, name: string, stringData: Readonly<Record<string, string>>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }
}

/** For `psql` as a role with CREATEROLE and CREATEDB: the scripts of deploy/postgres, and between them the passwords and a database. */
async function rolesSql(passwords: Readonly<Record<string, string>>): Promise<string> {
  return [
    await committed('postgres/roles.sql'),
    ...Object.entries(passwords).map(([role, each]) => `alter role ${role} password '${scramOf(each)}';`),
    `create database gatehouse template template0 encoding 'UTF8' locale 'C';`,
    '\\connect gatehouse',
    await committed('postgres/schemas.sql'),
  ].join('\n')
}

/** A file of `deploy`. */
const committed = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

/** What a server keeps of a password (RFC 5803): statements end up in logs. */
function scramOf(given: string): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(given, salt, 4096, 32, 'sha256')
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64')
  return `SCRAM-SHA-256$4096:${salt.toString('base64')}$${stored}:${keyOf('Server Key').toString('base64')}`
}
