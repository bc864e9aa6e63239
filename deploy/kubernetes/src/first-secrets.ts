import { randomBytes } from 'node:crypto'
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
export function firstSecrets({ postgres, nats, plaintext = false, smtpPassword = password() }: Places): readonly Secret[] {
  const database = { user: password(), auth: password(), notification: password() }
  const broker = { user: password(), auth: password(), notification: password(), subscriber: password() }
  const verified = plaintext ? '' : '?sslmode=verify-full&sslrootcert=/etc/gatehouse/trust/ca.crt'
  const databaseUrl = (name: ServiceName) => `postgres://gatehouse_${name}:${database[name]}@${postgres}/gatehouse${verified}`
  const natsUrl = (name: ServiceName) =>
    nats
      .split(',')
      .map((place) => `${plaintext ? 'nats' : 'tls'}://${name}:${broker[name]}@${place}`)
      .join(',')
  const ours = services.flatMap((name) => [
    secret('gatehouse', `${name}-secrets`, {
      DATABASE_URL: databaseUrl(name),
      NATS_URL: natsUrl(name),
      REQUEST_KEY: key(),
      ...(name === 'auth' && { AUTH_KEY_ENCRYPTION_KEY: key(), AUTH_CHALLENGE_KEY: key() }),
      ...(name === 'notification' && { SMTP_PASSWORD: smtpPassword }),
    }),
    secret('gatehouse', `${name}-migration`, { DATABASE_URL: databaseUrl(name) }),
  ])
  const users = natsServiceUsers(broker).map(({ name: user, ...more }) => ({ user, ...more }))
  const passwords = Object.entries(broker).map(([name, each]) => `password_of_${name}: "${each}"\n`)
  return [
    ...ours,
    secret('postgres', 'gatehouse-roles', { 'roles.sql': rolesSql(database), POSTGRES_PASSWORD: password() }),
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

/** For `psql` as a role with CREATEROLE and CREATEDB: docs/operations.md tells what each line is for. */
function rolesSql(passwords: Readonly<Record<ServiceName, string>>): string {
  const roles = services.map((name) => `gatehouse_${name}`)
  return [
    ...services.map((name) => `create role gatehouse_${name} login password '${passwords[name]}';`),
    `create database gatehouse template template0 encoding 'UTF8' locale 'C';`,
    '\\connect gatehouse',
    'revoke all on database gatehouse from public;',
    'revoke all on schema public from public;',
    `grant connect on database gatehouse to ${roles.join(', ')};`,
    `grant ${roles.join(', ')} to current_user;`,
    ...roles.map((role) => `create schema ${role} authorization ${role};`),
    ...roles.map((role) => `alter role ${role} in database gatehouse set search_path = ${role};`),
    `revoke ${roles.join(', ')} from current_user;`,
    '',
  ].join('\n')
}
