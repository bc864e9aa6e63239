import { freePort } from './free-ports.ts'

/** The three services, in the order in which their lines are shown. */
export const serviceNames = ['user', 'auth', 'notification'] as const
export type ServiceName = (typeof serviceNames)[number]

/** Ports of one service. */
export interface ServicePorts {
  readonly grpc: number
  readonly web: number
  readonly metrics: number
}

/** Every port that can be called from outside the constellation. Postgres and NATS take free ones. */
export interface Ports {
  readonly origin: number
  readonly smtp: number
  readonly services: Readonly<Record<ServiceName, ServicePorts>>
}

/** Ports that `npm start` uses, and the variables that change them. */
const fixed = {
  ORIGIN_PORT: 8080,
  SMTP_PORT: 1025,
  USER_GRPC_PORT: 9101,
  AUTH_GRPC_PORT: 9102,
  NOTIFICATION_GRPC_PORT: 9103,
  USER_METRICS_PORT: 9201,
  AUTH_METRICS_PORT: 9202,
  NOTIFICATION_METRICS_PORT: 9203,
  USER_WEB_PORT: 9301,
  AUTH_WEB_PORT: 9302,
  NOTIFICATION_WEB_PORT: 9303,
}

/** Name of the variable that moves a port, for the sentence that says how to get round a taken one. */
export type PortVariable = keyof typeof fixed

/** The ports of `npm start`, moved by environment variables where they are set. Throws a `TypeError` for what is not a port. */
export function fixedPorts(env: NodeJS.ProcessEnv): { ports: Ports; variables: ReadonlyMap<number, PortVariable> } {
  const at = new Map<PortVariable, number>()
  for (const [name, port] of Object.entries(fixed) as [PortVariable, number][]) {
    const text = env[name]
    const value = text === undefined || text === '' ? port : Number(text)
    if (!Number.isInteger(value) || value < 1 || value > 65_535)
      throw new TypeError(`${name} has to be a port from 1 to 65535, not ${text}`)
    at.set(name, value)
  }
  const of = (name: PortVariable) => at.get(name) ?? 0
  return {
    ports: {
      origin: of('ORIGIN_PORT'),
      smtp: of('SMTP_PORT'),
      services: {
        user: { grpc: of('USER_GRPC_PORT'), web: of('USER_WEB_PORT'), metrics: of('USER_METRICS_PORT') },
        auth: { grpc: of('AUTH_GRPC_PORT'), web: of('AUTH_WEB_PORT'), metrics: of('AUTH_METRICS_PORT') },
        notification: { grpc: of('NOTIFICATION_GRPC_PORT'), web: of('NOTIFICATION_WEB_PORT'), metrics: of('NOTIFICATION_METRICS_PORT') },
      },
    },
    variables: new Map([...at].map(([name, port]) => [port, name])),
  }
}

/** The ports of `npm start` with their variables, a line each. */
export function describePorts(): string {
  return Object.entries(fixed)
    .map(([name, port]) => `  ${String(port).padEnd(6)}${name}\n`)
    .join('')
}

/** Free ports for everything, for tests. */
export async function freePorts(): Promise<Ports> {
  const [origin, smtp, ...rest] = await freePort(11)
  const three = (from: number): ServicePorts => ({
    grpc: rest[from] as number,
    web: rest[from + 1] as number,
    metrics: rest[from + 2] as number,
  })
  return { origin: origin as number, smtp: smtp as number, services: { user: three(0), auth: three(3), notification: three(6) } }
}
