import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, ConnectError, createClient, type ServiceImpl } from '@connectrpc/connect'
import { ErrorReasonSchema, ErrorReason as UserReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserService, type WatchUsersResponse } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { TokenInvalid } from '@gatehouse/identity'
import { callOf, createGrpcDoor, createPipeline, refusals } from '@gatehouse/rpc'
import { forTenant, peerTransport, reasonOf } from '@gatehouse/rpc/peer'
import { type FollowOptions, followUsers } from './follow-users.ts'

const refuse = refusals(ErrorReasonSchema)
const log = { debug() {}, info() {}, warn() {}, error() {} }
type Watch = (cursor: string, tenant: string) => AsyncIterable<{ cursor: string; users?: { id: string }[] }>

/** A user service that tells what the test says, behind a real door. */
async function openDoor(watch: Watch) {
  const pipeline = createPipeline({
    service: 'user',
    log,
    limits: { take: async () => ({ allowed: true }) },
    accessTokens: {
      async verify() {
        throw new TokenInvalid('nobody')
      },
    },
    workloads: { verify: async () => 'billing' },
    tenantOfHost: () => undefined,
  })
  const unused = () => assert.fail('not part of the test')
  const impl = {
    ...Object.fromEntries(UserService.methods.map(({ localName }) => [localName, unused])),
    watchUsers: ({ cursor }, context) => watch(cursor, callOf(context).tenant),
  } as ServiceImpl<typeof UserService>
  const door = await createGrpcDoor({ service: 'user', services: [pipeline.guard(UserService, impl)], host: '127.0.0.1', port: 0, log })
  const signer = { name: 'billing', tokenFor: async () => 'billing' }
  const transport = peerTransport({ target: 'user', url: `127.0.0.1:${door.port}`, signer })
  return {
    follow: (options: FollowOptions) => followUsers(createClient(UserService, transport), forTenant('acme').headers ?? {}, options),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]()
      await door[Symbol.asyncDispose]()
    },
  }
}

async function take(messages: AsyncIterable<WatchUsersResponse>, count: number): Promise<string[]> {
  const cursors: string[] = []
  for await (const { cursor } of messages) if (cursors.push(cursor) === count) return cursors
  return cursors
}

test('comes again from the last cursor when a stream ends, breaks or its cursor expires, and says so', async () => {
  const asked: string[] = []
  await using door = await openDoor(async function* (cursor, tenant) {
    asked.push(`${tenant} ${cursor}`)
    if (asked.length === 4) throw refuse(UserReason.CURSOR_EXPIRED)
    yield { cursor: `${asked.length}a` }
    yield { cursor: `${asked.length}b` }
    if (asked.length === 2) throw new Error('broken')
  })
  const breaks: unknown[] = []
  const cursors = await take(door.follow({ cursor: 'kept', onBreak: (error) => void breaks.push(reasonOf(error)) }), 8)
  assert.deepEqual(cursors, ['1a', '1b', '2a', '2b', '3a', '3b', '5a', '5b'])
  assert.deepEqual(asked, ['acme kept', 'acme 1b', 'acme 2b', 'acme 3b', 'acme '])
  assert.deepEqual(breaks, ['INTERNAL', 'CURSOR_EXPIRED'])
})

test('a message whose handling fails is told again to whoever resumes from what was kept', async () => {
  await using door = await openDoor(async function* (cursor) {
    for (let next = Number(cursor) + 1; next <= 3; next++) yield { cursor: String(next) }
  })
  let kept = ''
  await assert.rejects(async () => {
    for await (const { cursor } of door.follow({})) {
      if (cursor === '2') throw new Error('not kept')
      kept = cursor
    }
  }, /not kept/)
  assert.deepEqual(await take(door.follow({ cursor: kept }), 2), ['2', '3'])
})

test('what asking again does not heal is thrown, and leaving ends the call', async () => {
  let ended = 0
  await using door = await openDoor(async function* (cursor) {
    if (cursor === 'foreign') throw refuse(UserReason.CURSOR_INVALID)
    try {
      for (;;) yield { cursor: 'next' }
    } finally {
      ended++
    }
  })
  await assert.rejects(take(door.follow({ cursor: 'foreign' }), 1), (error) => ConnectError.from(error).code === Code.InvalidArgument)
  const stop = new AbortController()
  for await (const _ of door.follow({ signal: stop.signal })) stop.abort()
  await take(door.follow({}), 1)
  while (ended < 2) await new Promise((resolve) => setTimeout(resolve, 5))
})
