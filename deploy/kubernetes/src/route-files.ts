import { longestStreamSeconds } from '@gatehouse/rpc'
import { stringify } from 'yaml'
import { contractsOf, type PathMatch, type RoutedService, webPathsOf } from './gateway-routes.ts'

const origin = 'A file of `npm run render`, which reads the contracts. Host names and the gateway are those of an overlay.'

/** Longer than any unary call of ours takes: a sign-in that waits for its password hash is the slowest. */
const callSeconds = 30
/** A stream is ended by whoever serves it; the gateway comes after that. */
const streamSeconds = longestStreamSeconds + 10

/** What the Gateway API takes of one rule. */
const mostMatches = 64

/** The HTTPRoute of a service's web door: one origin for all, told apart by path. */
export function httpRoute(name: RoutedService): string {
  const { streams, rpc, rest, more } = webPathsOf(name)
  const rules = [
    ...rulesOf(streams, name, `${streamSeconds}s`),
    ...rulesOf(rpc, name, `${callSeconds}s`),
    ...rulesOf(rest, name, `${callSeconds}s`),
    ...rulesOf(more, name, `${callSeconds}s`),
  ]
  return file({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, labels: labelsOf(name) },
    spec: { parentRefs: [parent('web')], hostnames: ['id.example.com'], rules },
  })
}

/** The GRPCRoute of a service's gRPC door, for callers outside of the cluster. Health and reflection stay inside. */
export function grpcRoute(name: RoutedService): string {
  const matches = contractsOf(name)
    .map((service) => service.typeName)
    .sort()
    .map((service) => ({ method: { type: 'Exact', service } }))
  const rules = inParts(matches).map((part) => ({ matches: part, backendRefs: [{ name, port: 9000 }] }))
  return file({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name, labels: labelsOf(name) },
    spec: { parentRefs: [parent('grpc')], hostnames: ['grpc.id.example.com'], rules },
  })
}

function rulesOf(paths: readonly PathMatch[], name: RoutedService, request: string): object[] {
  return inParts(paths.map((path) => ({ path }))).map((matches) => ({
    matches,
    filters: filtersOf(name),
    timeouts: { request },
    backendRefs: [{ name, port: 8080 }],
  }))
}

/** What the gateway changes of calls to a service, and of its answers. */
export function filtersOf(name: RoutedService) {
  return [
    // Only auth reads cookies; nobody else gets to see them.
    ...(name === 'auth' ? [] : [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['cookie'] } }]),
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: { set: [{ name: 'strict-transport-security', value: 'max-age=63072000; includeSubDomains' }] },
    },
  ]
}

function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / mostMatches) }, (_, i) => all.slice(i * mostMatches, (i + 1) * mostMatches))
}

const parent = (sectionName: string): object => ({ name: 'gatehouse', namespace: 'gateway', sectionName })
const labelsOf = (name: string): object => ({ 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'gatehouse' })
const file = (resource: object): string => `# ${origin}\n${stringify(resource, { aliasDuplicateObjects: false, lineWidth: 0 })}`
