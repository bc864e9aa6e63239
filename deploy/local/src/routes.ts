import { services } from '@gatehouse/contracts/files'
import { restRoutes } from '@gatehouse/rpc'
import { type ServiceName, serviceNames } from './options.ts'

/**
 * First segments of REST paths (`/api/users`) and the service behind each, read from the contracts. A segment belongs to one service, so that a
 * proxy needs no patterns.
 */
export function restPrefixes(): ReadonlyMap<string, ServiceName> {
  const prefixes = new Map<string, ServiceName>()
  for (const service of services) {
    const name = ownerOf(service.file.proto.package)
    for (const { path } of restRoutes(service)) {
      const prefix = /^\/api\/[^/:{]+/.exec(path)?.[0]
      if (prefix === undefined) throw new TypeError(`${path} does not begin with /api/<resource>`)
      if ((prefixes.get(prefix) ?? name) !== name) throw new TypeError(`${prefix} belongs to two services`)
      prefixes.set(prefix, name)
    }
  }
  return prefixes
}

/** The process behind a package: `gatehouse.auth.v1` is auth's. */
function ownerOf(packageName: string): ServiceName {
  const owner = serviceNames.find((name) => packageName === `gatehouse.${name}.v1`)
  if (owner === undefined) throw new TypeError(`${packageName} belongs to no service`)
  return owner
}

/** The service that serves a path, or nothing where the path is a page's. */
export function serviceOfPath(path: string, prefixes: ReadonlyMap<string, ServiceName>): ServiceName | undefined {
  if (path.startsWith('/.well-known/') || path.startsWith('/oidc/')) return 'auth'
  const rpc = /^\/gatehouse\.([a-z]+)\.v1\./.exec(path)?.[1]
  if (rpc === 'user' || rpc === 'auth' || rpc === 'notification') return rpc
  const prefix = /^\/api\/[^/:?]+/.exec(path)?.[0]
  return prefix === undefined ? undefined : prefixes.get(prefix)
}
