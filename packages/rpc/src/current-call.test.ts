import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { startTelemetry } from '@gatehouse/telemetry'
import { type Call, callOf } from './call.ts'
import { peerTransport } from './client/peer-transport.ts'
import { currentCall, nameOfCaller } from './current-call.ts'
import { ADA, openTestDoor } from './grpc/door-for-tests.ts'
import { reasonOf } from './peer-error.ts'

const AS_ADA = { headers: { authorization: 'Bearer ada' } }

test('whatever runs for a call finds it, of two calls at once each its own, and nothing runs for one else', async () => {
  await using _telemetry = await startTelemetry({ service: 'test' })
  const found: boolean[] = []
  await using door = await openTestDoor({
    user: {
      async getUser(_, context) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        found.push(currentCall() === callOf(context))
        return {}
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  await Promise.all([users.getUser({ id: ADA }, AS_ADA), users.getUser({ id: ADA }, AS_ADA)])
  assert.deepEqual(found, [true, true])
  assert.equal(currentCall(), undefined)
})

test('a caller has one name, and a stranger none', () => {
  const person = { kind: 'person', id: ADA } as Parameters<typeof nameOfCaller>[0]['person']
  assert.ok(person)
  assert.equal(nameOfCaller({ person, workload: 'user' }), `person:${ADA}`)
  assert.equal(nameOfCaller({ workload: 'user' }), 'workload:user')
  assert.equal(nameOfCaller({}), '')
})

test('a refused call is told of before it is answered, with its caller; what cannot be written down is not answered as if it were', async () => {
  const told: string[] = []
  let isWritten = true
  const refused = async (call: Call, method: { name: string }, { reason }: { reason: string }) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (!isWritten) throw new Error('the disk is full')
    told.push(`${nameOfCaller(call.caller)} ${method.name} ${reason}`)
  }
  await using door = await openTestDoor({ user: { getUser: async () => ({}) }, pipeline: { refused } })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  const other = { id: 'b1c5f2ae-7a6b-7b1c-8d2e-3f4a5b6c7d8e' }
  await assert.rejects(users.getUser(other, AS_ADA), (error) => reasonOf(error) === 'PERMISSION_DENIED')
  assert.deepEqual(told, [`person:${ADA} GetUser PERMISSION_DENIED`])
  await users.getUser({ id: ADA }, AS_ADA)
  assert.equal(told.length, 1)
  isWritten = false
  await assert.rejects(users.getUser(other, AS_ADA), { code: Code.Internal })
})
