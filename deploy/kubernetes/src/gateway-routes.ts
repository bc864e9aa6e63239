import type { DescService } from '@bufbuild/protobuf'
import { services } from '@gatehouse/contracts/files'
import { isOpenToPeople, restRoutes } from '@gatehouse/rpc'

/** The services with doors behind the gateway. */
export const routedServices = ['user', 'auth', 'notification'] as const
export type RoutedService = (typeof routedServices)[number]

/** How a path is told from others. In a prefix whole segments count: `/api/users` is one of `/api/users/7` and none of `/api/users:search`. */
export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix'
  readonly value: string
}

/** The paths of a service's web door. */
export interface WebPaths {
  /** Answers that go on for minutes. */
  readonly streams: readonly PathMatch[]
  /** By Connect and gRPC-Web. */
  readonly rpc: readonly PathMatch[]
  readonly rest: readonly PathMatch[]
  /** Paths that are no RPC's. */
  readonly more: readonly PathMatch[]
}

/** OpenID Connect's, and what others read about us. */
const moreOf: Readonly<Record<RoutedService, readonly string[]>> = { user: [], auth: ['/.well-known', '/oidc'], notification: [] }

/** The RPC services of the contract that the pods of `name` serve. */
export function contractsOf(name: RoutedService): readonly DescService[] {
  return services.filter((service) => service.file.proto.package === `gatehouse.${name}.v1`)
}

/** Which paths of the one origin lead to the web door of a service, read from the contracts. */
export function webPathsOf(name: RoutedService): WebPaths {
  const contracts = contractsOf(name)
  const open = contracts.filter((service) => service.methods.some(isOpenToPeople))
  const streams = open.flatMap((service) =>
    service.methods
      .filter((method) => method.methodKind === 'server_streaming' && isOpenToPeople(method))
      .map((method) => `/${service.typeName}/${method.name}`),
  )
  return {
    streams: exactly(streams),
    rpc: beginningWith(open.map((service) => `/${service.typeName}`)),
    rest: restPathsOf(contracts),
    more: beginningWith(moreOf[name]),
  }
}

// `/api/users/{id}:suspend` lies below `/api/users`; `/api/users:search` has a first segment of its own.
function restPathsOf(contracts: readonly DescService[]): readonly PathMatch[] {
  const firstTwo = contracts.flatMap((service) => restRoutes(service).map(({ path }) => /^\/api\/[^/{]+/.exec(path)?.[0] ?? path))
  const acts = firstTwo.filter((path) => path.includes(':'))
  return [...beginningWith(firstTwo.filter((path) => !path.includes(':'))), ...exactly(acts)]
}

const beginningWith = (paths: readonly string[]): PathMatch[] => sorted(paths).map((value) => ({ type: 'PathPrefix', value }))
const exactly = (paths: readonly string[]): PathMatch[] => sorted(paths).map((value) => ({ type: 'Exact', value }))
const sorted = (paths: readonly string[]): string[] => [...new Set(paths)].sort()
