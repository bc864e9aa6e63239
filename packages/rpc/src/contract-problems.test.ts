import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clearExtension, clone, create, createFileRegistry, type DescFile, type DescService, setExtension } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, type MethodOptions, MethodOptionsSchema } from '@bufbuild/protobuf/wkt'
import { file_gatehouse_auth_v1_account_service } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { AccessSchema, access, Limit_By, LimitSchema, limits, reasons } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { file_gatehouse_user_v1_user_service, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { TokenInvalid } from '@gatehouse/identity'
import { complete } from './grpc/door-for-tests.ts'
import { ContractError, createPipeline } from './pipeline.ts'

const refuseAll = async (): Promise<never> => {
  throw new TokenInvalid('nobody')
}
const pipeline = createPipeline({
  service: 'user',
  accessTokens: { verify: refuseAll },
  workloads: { verify: refuseAll },
  tenantOfHost: () => 'default',
  limits: { take: async () => ({ allowed: true }) },
  log: { debug() {}, info() {}, warn() {}, error() {} },
})

/** The service of a file after somebody edited the options of its methods. */
function edited(file: DescFile, edits: Readonly<Record<string, (options: MethodOptions) => void>>): DescService {
  const proto = clone(FileDescriptorProtoSchema, file.proto)
  for (const method of proto.service[0]?.method ?? []) {
    method.options ??= create(MethodOptionsSchema)
    edits[method.name]?.(method.options)
  }
  const known = new Map<string, DescFile>()
  const collect = (at: DescFile): void => {
    for (const imported of at.dependencies) {
      known.set(imported.proto.name, imported)
      collect(imported)
    }
  }
  collect(file)
  const registry = createFileRegistry(proto, (name) => known.get(name))
  const service = registry.getService(file.services[0]?.typeName ?? '')
  assert.ok(service)
  return service
}

function problemsOf(service: DescService, impl: object = complete(service.method, {})): readonly string[] {
  try {
    pipeline.guard(service, impl)
    return []
  } catch (error) {
    assert.ok(error instanceof ContractError)
    return error.problems
  }
}

test('the contracts as they are have no problems', () => {
  assert.deepEqual(problemsOf(UserService), [])
})

test('an RPC that says nothing about access keeps its server from starting', () => {
  const silent = edited(file_gatehouse_user_v1_user_service, {
    GetUser: (options) => clearExtension(options, access),
    ListUsers: (options) => setExtension(options, access, create(AccessSchema)),
  })
  const problems = problemsOf(silent)
  assert.equal(problems.length, 2)
  assert.match(problems[0] ?? '', /UserService\/GetUser.*access/)
  assert.match(problems[1] ?? '', /UserService\/ListUsers.*access/)
})

test('every problem is listed at once', () => {
  const broken = edited(file_gatehouse_user_v1_user_service, {
    GetUser: (options) => setExtension(options, access, create(AccessSchema, { own: 'nobody.id' })),
    ListUsers: (options) => setExtension(options, reasons, ['NO_SUCH_REASON']),
    CreateUser: (options) => {
      options.idempotencyLevel = 0
      Reflect.deleteProperty(options, 'idempotencyLevel')
    },
    SearchUsers: (options) =>
      setExtension(options, limits, [create(LimitSchema, { by: Limit_By.FIELD, field: 'nothing', count: 1, window: { seconds: 1n } })]),
    DeleteUser: (options) => setExtension(options, limits, [create(LimitSchema, { by: Limit_By.SOURCE, window: { seconds: 1n } })]),
    BatchGetUsers: (options) =>
      setExtension(options, limits, [create(LimitSchema, { by: Limit_By.FIELD, field: 'ids', count: 1, window: { seconds: 1n } })]),
    UpdateUser: (options) => setExtension(options, limits, [create(LimitSchema, { count: 1, window: { seconds: 1n } })]),
  })
  const impl: Record<string, unknown> = complete(broken.method, {})
  Reflect.deleteProperty(impl, 'suspendUser')
  const text = problemsOf(broken, impl).join('\n')
  for (const expected of [
    /GetUser.*nobody\.id/,
    /ListUsers.*NO_SUCH_REASON/,
    /CreateUser.*idempotency_level/,
    /SearchUsers.*nothing/,
    /DeleteUser.*count/,
    /BatchGetUsers.*ids/,
    /UpdateUser.*counts by/,
    /SuspendUser.*no implementation/,
  ]) {
    assert.match(text, expected)
  }
  assert.equal(text.split('\n').length, 8)
})

test("a reason of another service's contract is unknown", () => {
  const foreign = edited(file_gatehouse_auth_v1_account_service, { SignUp: (options) => setExtension(options, reasons, ['USER_STATE']) })
  assert.match(problemsOf(foreign).join('\n'), /SignUp.*USER_STATE/)
})
