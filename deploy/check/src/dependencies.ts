import { ofKind } from './kinds.ts'
import type { House } from './manifests.ts'
import { portOf, selectedBy, settingOf, type Workload } from './pods.ts'
import { declared, isRequired } from './services.ts'

/** Whom a program calls: pods of this house, something in another namespace or at an address, or the internet. */
export type Dependency = {
  readonly to: 'pods' | 'outside' | 'internet'
  /** The service; the namespace, where the address tells it. */
  readonly name?: string
  readonly port: number
  /** Whether what is kept in the database decides: then the way may be open, and need not be. */
  readonly optional?: boolean
  readonly because: string
}

type Reach = (value: string | undefined, house: House) => Omit<Dependency, 'because'>

const inside: Reach = (value = '', house) => {
  const [host = '', port = ''] = value.replace(/^dns:\/\/\//, '').split(':')
  const service = ofKind(house, 'Service').find(({ metadata }) => metadata.name === host.split('.')[0])
  const [workload] = service ? selectedBy(house, service, service.spec.selector) : []
  const named = service?.spec.ports.find((each) => each.port === Number(port))
  const reached = workload && named && portOf(workload.container, named.targetPort ?? named.port)
  return { to: 'pods', name: workload?.service ?? `nobody, which is what ${value} is`, port: reached ?? Number(port) }
}

const fixed =
  (port: number): Reach =>
  () => ({ to: 'outside', port })

const byUrl: Reach = (value = '') => {
  const { hostname, port, protocol } = new URL(value)
  const usual: Record<string, number> = { 'http:': 80, 'https:': 443, 'smtp:': 587, 'smtps:': 465 }
  // `name.namespace` and `name.namespace.svc…` are Services of the cluster.
  const namespace = /^[^.]+\.([^.]+)(\.svc(\..*)?)?$/.exec(hostname)?.[1]
  return {
    to: 'outside',
    port: Number(port) || (usual[protocol] ?? 0),
    ...(namespace && !hostname.endsWith('.com') && { name: namespace }),
  }
}

const internet: Reach = () => ({ to: 'internet', port: 443 })

/** Which variable of a program's declaration makes it call whom. Whether it has the variable, and needs it, is its own declaration's word. */
export const reaches: Readonly<Record<string, Reach>> = {
  USER_URL: inside,
  AUTH_URL: inside,
  NOTIFICATION_URL: inside,
  DATABASE_URL: fixed(5432),
  NATS_URL: fixed(4222),
  SMTP_URL: byUrl,
  OTLP_ENDPOINT: byUrl,
  PASSWORD_BREACH_URL: internet,
}

/** Who signs in by other providers is decided in the database; that the program can is told by this variable of its own. */
const internetByChoice = 'OIDC_EGRESS_ALLOW'

/** Whom a workload calls, by its program's declaration of its environment and by what the manifest sets of it. */
export function dependenciesOf(workload: Workload, house: House): readonly Dependency[] {
  const table = declared[workload.service]?.variables ?? {}
  const told = (name: string): boolean => (workload.container.env ?? []).some((each) => each.name === name || each.name === `${name}_FILE`)
  // A migration is the same program at one task: it reads what it is given.
  const dependencies = Object.keys(table).flatMap((name): Dependency[] => {
    const reach = reaches[name]
    if (!reach || !(told(name) || (workload.serves && isRequired(table, name)))) return []
    return [{ ...reach(settingOf(workload.container, name), house), because: name }]
  })
  if (workload.serves && internetByChoice in table)
    dependencies.push({ to: 'internet', port: 443, optional: true, because: internetByChoice })
  return dependencies
}
