import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { createApiKey, createApiKeyVerifier, createRevocationList, TokenInvalid } from '@gatehouse/identity'
import { callOf, createGrpcDoor, createPipeline } from '@gatehouse/rpc'
import { reasonOf } from '@gatehouse/rpc/peer'
import { connectGatehouse } from './connect-gatehouse.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const good = createApiKey(randomUUID()).key

/** A user service that knows one key, and answers who called. */
async function openDoor() {
  const changes = { ...createRevocationList(), connected: true }
  const resolve = async () => ({
    tenant: 'default',
    serviceAccountId: randomUUID(),
    serviceAccountName: 'robot',
    scopes: ['user.users.read'],
    permissions: ['user.users.read'],
  })
  const pipeline = createPipeline({
    service: 'user',
    log,
    limits: { take: async () => ({ allowed: true }) },
    accessTokens: {
      async verify() {
        throw new TokenInvalid('nobody')
      },
    },
    apiKeys: createApiKeyVerifier({ resolve, changes }),
    workloads: { verify: async () => 'nobody' },
    tenantOfHost: () => undefined,
  })
  const unused = () => assert.fail('not part of the test')
  const impl = {
    ...Object.fromEntries(UserService.methods.map(({ localName }) => [localName, unused])),
    getUser: (_: unknown, context: HandlerContext) => ({ user: { name: callOf(context).person().clientId } }),
    async *watchUsers(_: unknown, context: HandlerContext) {
      yield { cursor: callOf(context).person().clientId }
    },
  } as unknown as ServiceImpl<typeof UserService>
  return await createGrpcDoor({ service: 'user', services: [pipeline.guard(UserService, impl)], host: '127.0.0.1', port: 0, log })
}

test('a program calls with an API key, unary and streamed; a call for somebody carries theirs', async () => {
  await using door = await openDoor()
  await using gatehouse = await connectGatehouse({ origin: 'http://127.0.0.1:1', userUrl: `127.0.0.1:${door.port}`, apiKey: good })
  const id = randomUUID()
  const { user } = await gatehouse.users.getUser({ id }, gatehouse.about())
  assert.equal(user?.name, 'robot')
  for await (const { cursor } of gatehouse.watchUsers()) {
    assert.equal(cursor, 'robot')
    break
  }
  const forPerson = gatehouse.users.getUser({ id }, { headers: { authorization: 'Bearer a-persons-token' } })
  await assert.rejects(forPerson, (error) => reasonOf(error) === 'ACCESS_TOKEN_INVALID')
})

test('a mistyped key is told where it stands, without the key', async () => {
  const mistyped = `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`
  await assert.rejects(connectGatehouse({ origin: 'http://127.0.0.1:1', apiKey: mistyped }), (error: Error) => {
    assert.ok(error instanceof TypeError && !error.message.includes(mistyped.slice(9)))
    return true
  })
})
