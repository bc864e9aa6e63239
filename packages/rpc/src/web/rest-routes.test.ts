import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clone,
  create,
  createFileRegistry,
  type DescService,
  type FileRegistry,
  fromBinary,
  setExtension,
  toBinary,
} from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema, type MethodOptions } from '@bufbuild/protobuf/wkt'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { AccessSchema, access, rest_status as restStatus } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { file_gatehouse_user_v1_user_service, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { http } from '@gatehouse/contracts/google/api/annotations_pb'
import { HttpRuleSchema } from '@gatehouse/contracts/google/api/http_pb'
import { restRoutes } from './rest-routes.ts'

test('lists the routes of a service', () => {
  const listed = restRoutes(UserService).map(({ rpc, method, path, status }) => `${rpc.name}: ${method} ${path} ${status}`)
  assert.ok(listed.includes('CreateUser: POST /api/users 201'))
  assert.ok(listed.includes('SuspendUser: POST /api/users/{id}:suspend 200'))
  assert.ok(listed.includes('SearchUsers: POST /api/users:search 200'))
  assert.ok(!listed.some((line) => line.startsWith('ResolveUser')))
  assert.deepEqual(
    restRoutes(SessionService).map(({ path }) => path),
    [
      '/api/sessions:signIn',
      '/api/sessions:continueSignIn',
      '/api/sessions',
      '/api/sessions/{session_id}',
      '/api/sessions:revokeOthers',
      '/api/sessions:revokeOfUser',
      '/api/sessions:forgetTrustedDevices',
    ],
  )
})

test('knows where to read what was created', () => {
  const located = [...restRoutes(UserService), ...restRoutes(NotificationService)].filter(({ location }) => location)
  assert.deepEqual(
    located.map(({ location }) => `${location?.prefix}{${location?.id.name}}`),
    ['/api/users/{id}', '/api/notifications/{id}'],
  )
})

/** UserService with other options on one of its methods. */
function changed(name: string, change: (options: MethodOptions) => void): DescService {
  const files = [...dependencies(file_gatehouse_user_v1_user_service)].map((file) => clone(FileDescriptorProtoSchema, file.proto))
  const options = files
    .flatMap((file) => file.service)
    .flatMap((service) => service.method)
    .find((method) => method.name === name)?.options
  assert.ok(options)
  change(options)
  const service = registryOf(files).getService(UserService.typeName)
  assert.ok(service)
  return service
}

function dependencies(file: typeof file_gatehouse_user_v1_user_service, seen = new Set<typeof file>()): Set<typeof file> {
  for (const each of file.dependencies) dependencies(each, seen)
  return seen.add(file)
}

function registryOf(file: FileDescriptorProto[]): FileRegistry {
  return createFileRegistry(
    fromBinary(FileDescriptorSetSchema, toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }))),
  )
}

const rule = (init: Parameters<typeof create<typeof HttpRuleSchema>>[1]) => (options: MethodOptions) =>
  setExtension(options, http, create(HttpRuleSchema, init))
const get = (value: string) => ({ pattern: { case: 'get' as const, value } })

test('refuses options that it does not know', () => {
  const wrong: [RegExp, (options: MethodOptions) => void][] = [
    [/pattern/, rule(get('/api/users/{id=people/*}'))],
    [/pattern/, rule(get('/api/users/*'))],
    [/\{name\} is no string field/, rule(get('/api/users/{name}'))],
    [/GET does not go with body/, rule({ ...get('/api/users/{id}'), body: '*' })],
    [/body is neither/, rule({ pattern: { case: 'post', value: '/api/users/{id}' }, body: 'id' })],
    [/additional_bindings/, rule({ ...get('/api/users/{id}'), additionalBindings: [get('/api/persons/{id}')] })],
    [/response_body/, rule({ ...get('/api/users/{id}'), responseBody: 'nobody' })],
    [/no route reads what it created/, (options) => setExtension(options, restStatus, 201)],
    [/closed to people/, (options) => setExtension(options, access, create(AccessSchema, { workloads: ['auth'] }))],
  ]
  for (const [problem, change] of wrong) assert.throws(() => restRoutes(changed('GetUser', change)), problem)
  assert.equal(restRoutes(changed('GetUser', rule(get('/api/users/{id}')))).length, restRoutes(UserService).length)
})

test('refuses to put a personal field into a URL', () => {
  assert.throws(() => restRoutes(changed('SearchUsers', rule(get('/api/search')))), /personal or secret/)
})
