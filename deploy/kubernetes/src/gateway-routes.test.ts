import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { services } from '@gatehouse/contracts/files'
import { restPrefixes, serviceOfPath } from '@gatehouse/local'
import { isOpenToPeople, restRoutes } from '@gatehouse/rpc'
import { parse } from 'yaml'
import { home } from './render.ts'
import { grpcRoute, httpRoute } from './route-files.ts'

type Match = { readonly path: { readonly type: 'Exact' | 'PathPrefix'; readonly value: string } }
type Route = {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly rules: readonly { readonly matches: readonly Match[]; readonly timeouts: { readonly request: string } }[] }
}

const folder = join(home, 'components/gateway')
const routed = ['user', 'auth', 'notification'] as const
const committed = async (name: string, file: string): Promise<string> => await readFile(join(folder, name, file), 'utf8')
const routes: readonly Route[] = await Promise.all(
  [...routed, 'console'].map(async (name) => parse(await committed(name, 'http-route.yaml')) as Route),
)

/** Where a gateway sends a path, as the Gateway API says: a whole path comes before a prefix, a longer prefix before a shorter one. */
function sentTo(path: string): { readonly name: string; readonly request: string } | undefined {
  const all = routes.flatMap(({ metadata: { name }, spec }) =>
    spec.rules.flatMap(({ matches, timeouts: { request } }) => matches.map((match) => ({ name, request, ...match.path }))),
  )
  const fitting = all.filter(({ type, value }) =>
    type === 'Exact' ? path === value : value === '/' || path === value || path.startsWith(`${value}/`),
  )
  return fitting.sort((a, b) => Number(b.type === 'Exact') - Number(a.type === 'Exact') || b.value.length - a.value.length)[0]
}

const paths = [
  ...services.flatMap((service) =>
    restRoutes(service).map(({ path }) => path.replaceAll(/\{[^}]+\}/g, '0190a0de-0000-7000-8000-000000000001')),
  ),
  ...['/.well-known/jwks.json', '/.well-known/openid-configuration', '/oidc/token', '/', '/account', '/openapi.json', '/assets/index-1.js'],
]

describe('the routes of the gateway', () => {
  test('are those that the contracts say: after a change of them, npm run render', async () => {
    for (const name of routed) {
      assert.equal(await committed(name, 'http-route.yaml'), httpRoute(name))
      assert.equal(await committed(name, 'grpc-route.yaml'), grpcRoute(name))
    }
  })

  test('send every path of the REST door, and what is no RPC, where the local origin sends it', () => {
    const prefixes = restPrefixes()
    for (const path of paths) assert.equal(sentTo(path)?.name, serviceOfPath(path, prefixes) ?? 'console', path)
  })

  test('send every RPC that people may call to its service, and let streams live for six minutes', () => {
    for (const service of services) {
      for (const method of service.methods.filter(isOpenToPeople)) {
        const path = `/${service.typeName}/${method.name}`
        const request = method.methodKind === 'unary' ? '30s' : '370s'
        assert.deepEqual([sentTo(path)?.name, sentTo(path)?.request], [serviceOfPath(path, new Map()), request], path)
      }
    }
    assert.equal(sentTo('/gatehouse.notification.v1.InboxService/WatchInbox')?.request, '370s')
  })

  test('send no path to a service that a longer word begins like', () => {
    assert.equal(sentTo('/api/usersandmore')?.name, 'console')
    assert.equal(sentTo('/api/users:unknown')?.name, 'console')
    assert.equal(sentTo('/gatehouse.user.v1.UserServiceOfOthers/GetUser')?.name, 'console')
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
