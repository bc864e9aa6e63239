import { databaseUrl } from './database.ts'
import type { Ports, ServiceName } from './options.ts'
import type { Secrets } from './state.ts'

/** What the environment of a service is made of. */
export interface EnvironmentParts {
  readonly ports: Ports
  readonly secrets: Secrets
  readonly postgresUrl: string
  readonly natsUrl: string
  readonly jwksFile: string
  readonly keyFile: (name: string) => string
}

/** The public origin of the tenant `default`. */
export function originOf(ports: Ports): string {
  return `http://localhost:${ports.origin}`
}

/** The variables by which a service runs on this machine: nothing but what its README lists. */
export function environmentOf(name: ServiceName, parts: EnvironmentParts): Record<string, string> {
  const { ports, secrets } = parts
  const own = ports.services[name]
  const nats = new URL(parts.natsUrl)
  nats.username = name
  nats.password = secrets.nats[name]
  return {
    GATEHOUSE_MODE: 'local',
    PUBLIC_ORIGIN: originOf(ports),
    LISTEN_HOST: '127.0.0.1',
    GRPC_PORT: String(own.grpc),
    WEB_PORT: String(own.web),
    METRICS_PORT: String(own.metrics),
    DATABASE_URL: databaseUrl(parts.postgresUrl, name, secrets.database[name]),
    NATS_URL: nats.href,
    WORKLOAD_KEY_FILE: parts.keyFile(name),
    WORKLOAD_JWKS_FILE: parts.jwksFile,
    USER_URL: `127.0.0.1:${ports.services.user.grpc}`,
    AUTH_URL: `127.0.0.1:${ports.services.auth.grpc}`,
    NOTIFICATION_URL: `127.0.0.1:${ports.services.notification.grpc}`,
    TRUSTED_PROXIES: '127.0.0.1',
    REQUEST_KEY: secrets.requestKey[name],
    // Nobody else is there to take over, and whoever pressed Ctrl-C waits.
    DRAIN_IDLE: '0s',
    ...(name === 'auth' && { AUTH_KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey, AUTH_CHALLENGE_KEY: secrets.challengeKey }),
    ...(name === 'notification' && {
      SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
      MAIL_FROM: 'Gatehouse <gatehouse@localhost.localdomain>',
    }),
  }
}

/** The variables of the example service: another team's, with its own workload key and its own user of the broker. */
export function exampleEnvironment({ ports, secrets, natsUrl, keyFile }: EnvironmentParts): Record<string, string> {
  const nats = new URL(natsUrl)
  nats.username = 'subscriber'
  nats.password = secrets.nats.subscriber
  return {
    GATEHOUSE_ORIGIN: originOf(ports),
    GATEHOUSE_USER_URL: `127.0.0.1:${ports.services.user.grpc}`,
    GATEHOUSE_AUTH_URL: `127.0.0.1:${ports.services.auth.grpc}`,
    GATEHOUSE_NATS_URL: nats.href,
    GATEHOUSE_WORKLOAD_KEY_FILE: keyFile('example'),
  }
}
