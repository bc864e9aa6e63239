import type { FastifyInstance } from 'fastify'
import type { GuardedMethod, GuardedService } from '../guarded-method.ts'
import { sendMethodNotAllowed } from './answer.ts'
import { bounded, type CallBound } from './bounded.ts'
import { answerRest } from './rest-answer.ts'
import { isOpenToPeople, type RestRoute, restRoutes } from './rest-routes.ts'
import type { Answer, RouteSettings } from './route-settings.ts'
import { answerRpc, answerRpcGet, takesGet } from './rpc-routes.ts'

type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'TRACE'

const METHODS: readonly HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/** Registers what people may call: each RPC under its own path, and under its REST path. Other methods on these paths answer 405. */
export function servePaths(scope: FastifyInstance, services: Iterable<GuardedService>, settings: RouteSettings): void {
  const paths = new Map<string, HttpMethod[]>()
  const serve = (method: HttpMethod, url: string, answer: Answer): void => {
    const served: HttpMethod[] = method === 'GET' ? ['GET', 'HEAD'] : [method]
    paths.set(url, [...(paths.get(url) ?? []), ...served])
    scope.route({
      method: served,
      url,
      handler: (request, reply) => {
        answer(request, reply).catch((error: unknown) => reply.send(error))
      },
    })
  }

  for (const service of services) {
    for (const unbounded of service.values()) {
      const method = bounded(unbounded, settings.calls)
      if (!isOpenToPeople(method.desc)) continue
      const url = `/${method.desc.parent.typeName}/${method.desc.name}`
      serve('POST', url, answerRpc(method, settings))
      if (takesGet(method.desc)) serve('GET', url, answerRpcGet(method, settings))
    }
    for (const { route, method } of restOf(service, settings.calls))
      serve(route.method, routerPath(route), answerRest(route, method, settings))
  }

  for (const [url, served] of paths) {
    const allowed = [...served, 'OPTIONS'].join(', ')
    const others = METHODS.filter((method) => !served.includes(method))
    scope.route({
      method: others,
      url,
      handler: (request, reply) => {
        if (request.method === 'OPTIONS') settings.origins.answerPreflight(request, reply, allowed)
        else sendMethodNotAllowed(reply, allowed)
      },
    })
  }
}

function restOf(service: GuardedService, calls: CallBound): { route: RestRoute; method: GuardedMethod }[] {
  const [first] = service.values()
  if (!first) return []
  return restRoutes(first.desc.parent).flatMap((route) => {
    const method = service.get(route.rpc.name)
    return method ? [{ route, method: bounded(method, calls) }] : []
  })
}

/** A path template as find-my-way writes it: a literal colon is doubled, and a variable holds none. */
function routerPath(route: RestRoute): string {
  return route.path.replaceAll(':', '::').replace(/\{(\w+)\}/g, ':$1([^/:]+)')
}
