import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { ADA, AS_ADA, openTestDoor } from '../grpc/door-for-tests.ts'
import { reasonOf } from '../peer-error.ts'
import { peerTransport } from './peer-transport.ts'

test('more calls under way than a transport takes fail at once, and leave the others alone', async () => {
  const answers = Promise.withResolvers<object>()
  await using door = await openTestDoor({ user: { getUser: () => answers.promise } })
  await using transport = peerTransport({ target: 'user', url: door.url, maxCalls: 3 })
  const users = createClient(UserService, transport)
  const calls = Array.from({ length: 3 }, () => users.getUser({ id: ADA }, AS_ADA))
  await assert.rejects(
    users.getUser({ id: ADA }, AS_ADA),
    (error) => ConnectError.from(error).code === Code.ResourceExhausted && reasonOf(error) === 'OVERLOADED',
  )
  answers.resolve({})
  await Promise.all(calls)
  await users.getUser({ id: ADA }, AS_ADA)
})

test('a call lasts no longer than whoever is served waits, and their leaving ends it', async () => {
  const seen: (number | undefined)[] = []
  const cancelled = Promise.withResolvers<void>()
  await using door = await openTestDoor({
    user: {
      getUser: async (_request, context) => {
        seen.push(context.timeoutMs())
        context.signal.addEventListener('abort', () => cancelled.resolve())
        await cancelled.promise
        return {}
      },
    },
  })
  const caller = new AbortController()
  const bounds = () => ({ deadline: Date.now() + 2000, signal: caller.signal })
  await using transport = peerTransport({ target: 'user', url: door.url, bounds })
  const call = createClient(UserService, transport).getUser({ id: ADA }, AS_ADA)
  const settled = assert.rejects(call, (error) => ConnectError.from(error).code === Code.Canceled)
  while (seen.length === 0) await delay(2)
  caller.abort()
  await Promise.all([settled, cancelled.promise])
  assert.ok(Number(seen[0]) <= 2000, String(seen[0]))
})
