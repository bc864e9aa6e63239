import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { services } from '@gatehouse/contracts/files'
import { restPrefixes, serviceOfPath } from '@gatehouse/local'
import { isOpenToPeople, restRoutes } from '@gatehouse/rpc'
import { parse } from 'yaml'
import { routedServices } from './gateway-routes.ts'
import { home } from './render.ts'
import { grpcRoute, httpRoute } from './route-files.ts'
import { type RouteRule, sentTo } from './sent-to.ts'

type Rule = Required<Pick<RouteRule, 'matches'>> & {
  readonly timeouts: { readonly request: string }
  readonly backendRefs: readonly { readonly name: string }[]
}
type Route = { readonly spec: { readonly rules: readonly Rule[] } }

const folder = join(home, 'components/gateway')
const committed = async (name: string, file: string): Promise<string> => await readFile(join(folder, name, file), 'utf8')
const routes: readonly Route[] = await Promise.all(
  [...routedServices, 'console'].map(async (name) => parse(await committed(name, 'http-route.yaml')) as Route),
)

const rules = routes.flatMap(({ spec }) => spec.rules)
const ownerOf = (path: string): string | undefined => sentTo(path, rules)?.backendRefs[0]?.name
const timeoutOf = (path: string): string | undefined => sentTo(path, rules)?.timeouts.request

const paths = [
  ...services.flatMap((service) =>
    restRoutes(service).map(({ path }) => path.replaceAll(/\{[^}]+\}/g, '0190a0de-0000-7000-8000-000000000001')),
  ),
  ...['/.well-known/jwks.json', '/.well-known/openid-configuration', '/oidc/token', '/', '/account', '/openapi.json', '/assets/index-1.js'],
]

describe('the routes of the gateway', () => {
  test('are those that the contracts say: after a change of them, npm run render', async () => {
    for (const name of routedServices) {
      assert.equal(await committed(name, 'http-route.yaml'), httpRoute(name))
      assert.equal(await committed(name, 'grpc-route.yaml'), grpcRoute(name))
    }
  })

  test('send every path of the REST door, and what is no RPC, where the local origin sends it', () => {
    const prefixes = restPrefixes()
    for (const path of paths) assert.equal(ownerOf(path), serviceOfPath(path, prefixes) ?? 'console', path)
  })

  test('send every RPC that people may call to its service, and let streams live for six minutes', () => {
    for (const service of services) {
      for (const method of service.methods.filter(isOpenToPeople)) {
        const path = `/${service.typeName}/${method.name}`
        const request = method.methodKind === 'unary' ? '30s' : '370s'
        assert.deepEqual([ownerOf(path), timeoutOf(path)], [serviceOfPath(path, new Map()), request], path)
      }
    }
    assert.equal(timeoutOf('/gatehouse.notification.v1.InboxService/WatchInbox'), '370s')
  })

  test('send no path to a service that a longer word begins like', () => {
    assert.equal(ownerOf('/api/usersandmore'), 'console')
    assert.equal(ownerOf('/api/users:unknown'), 'console')
    assert.equal(ownerOf('/gatehouse.user.v1.UserServiceOfOthers/GetUser'), 'console')
  })

  test('stay within what the Gateway API takes of one route', async () => {
    for (const name of await readdir(folder, { withFileTypes: true })) {
      for (const file of ['http-route.yaml', 'grpc-route.yaml']) {
        const text = await committed(name.name, file).catch(() => undefined)
        if (text === undefined) continue
        const { rules } = (parse(text) as Route).spec
        assert.ok(rules.length <= 16, name.name)
        assert.ok(
          rules.every(({ matches }) => matches.length <= 64),
          name.name,
        )
        assert.ok(rules.flatMap(({ matches }) => matches).length <= 128, name.name)
      }
    }
  })
})
