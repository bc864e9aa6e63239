import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@bufbuild/protobuf'
import { hasOption } from '@bufbuild/protobuf'
import { Validator } from '@seriousme/openapi-schema-validator'
import { event } from '../src/gatehouse/options/v1/options_pb.ts'
import { http } from '../src/google/api/annotations_pb.ts'
import { contractPage } from './contract-page.ts'
import { describeReasons } from './describe-rpc.ts'
import { openApi } from './openapi.ts'
import { type Contracts, readContracts } from './read-contracts.ts'

interface Operation {
  operationId: string
  security: object[]
  parameters?: { name: string; in: string; required: boolean }[]
  requestBody?: object
  responses: Record<string, { headers?: Record<string, object> }>
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'documents-'))
let contracts: Contracts
let document: JsonObject & { paths: Record<string, Record<string, Operation>> }
before(() => {
  contracts = readContracts(root, folder)
  document = openApi(contracts, '1.2.3') as typeof document
})
after(() => rmSync(folder, { recursive: true }))

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, each]) => ({ path, method, ...each })))

test('the OpenAPI document is valid OpenAPI 3.1, and the validator would say if not', async () => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document))
  assert.ok(valid, JSON.stringify(errors, null, 2))
  assert.equal(validator.version, '3.1')
  const broken = { ...structuredClone(document), paths: { 'api/users': { get: { responses: 3 } } } }
  assert.equal((await new Validator().validate(broken)).valid, false)
})

test('every reference leads somewhere', () => {
  for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = pointer.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
    assert.ok(target !== undefined && Object.keys(target as object).length > 0, pointer)
  }
})

test('each RPC with a REST path is one operation with its own name', () => {
  const rpcs = contracts.services.flatMap((service) => service.methods).filter((rpc) => hasOption(rpc, http))
  const ids = operations().map(({ operationId }) => operationId)
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids.map((id) => id.toLowerCase()).sort(), rpcs.map((rpc) => rpc.name.toLowerCase()).sort())
})

test('a create answers 201 with its place, a public RPC asks for no token', () => {
  const create = document.paths['/api/users']?.post
  assert.ok(create?.responses['201']?.headers?.Location)
  assert.deepEqual(create.security, [{ bearer: [] }])
  assert.deepEqual(document.paths['/api/sessions:signIn']?.post?.security, [])
})

test('path variables are required parameters, other fields of a GET are query parameters, other methods have a body', () => {
  for (const { path, method, parameters = [], requestBody } of operations()) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    assert.deepEqual(
      parameters.filter((each) => each.in === 'path').map((each) => [each.name, each.required]),
      named.map((name) => [name, true]),
      path,
    )
    assert.equal(requestBody !== undefined, method !== 'get' && method !== 'delete', `${method} ${path}`)
  }
  assert.deepEqual(
    document.paths['/api/users']?.get?.parameters?.map(({ name }) => name),
    ['pageSize', 'pageToken', 'newestFirst'],
  )
})

test('the rules of the contract stand in the schemas', () => {
  const { schemas } = document.components as {
    schemas: Record<string, { properties: Record<string, JsonObject>; required?: string[]; additionalProperties?: boolean }>
  }
  const { CreateUserRequest, User, SendNotificationRequest } = schemas
  assert.deepEqual(CreateUserRequest?.required, ['name', 'email'])
  assert.equal(CreateUserRequest.additionalProperties, false)
  assert.deepEqual([CreateUserRequest.properties.name?.minLength, CreateUserRequest.properties.name?.maxLength], [1, 200])
  assert.equal(CreateUserRequest.properties.email?.format, 'email')
  assert.equal(CreateUserRequest.properties.requestId?.format, 'uuid')
  assert.match(String(CreateUserRequest.properties.locale?.pattern), /^\^\[A-Za-z\]/)
  assert.equal(User?.required?.includes('emailVerified'), true)
  assert.equal(User?.required?.includes('createTime'), false)
  assert.equal(User?.properties.version?.type, 'string')
  assert.equal(SendNotificationRequest?.properties.data?.maxProperties, 50)
})

test('the page lists every RPC, every event and every reason', () => {
  const page = contractPage(contracts)
  for (const service of contracts.services) {
    assert.ok(page.includes(`### ${service.typeName}\n`))
    for (const rpc of service.methods)
      assert.match(page, new RegExp(`#### ${rpc.name}( \\(stream\\))?\n\n[A-Z][^\n]+\n\n- \\*\\*Access:\\*\\* [a-z]`))
  }
  for (const message of contracts.messages.filter((each) => hasOption(each, event))) assert.ok(page.includes(`### ${message.typeName}\n`))
  for (const { name, code, sentence } of contracts.reasons.flatMap((each) => describeReasons(each, contracts))) {
    const rows = page.split('\n').filter((line) => line.startsWith(`| \`${name}\` | \`${code}\` | `))
    assert.ok(
      rows.some((row) => row.includes(` | ${sentence} | `)),
      name,
    )
  }
})

test('what is committed is what the contracts say', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'packages/contracts/openapi.json'), 'utf8')), openApi(contracts, version))
  assert.equal(readFileSync(join(root, 'docs/contract.md'), 'utf8'), contractPage(contracts))
})
