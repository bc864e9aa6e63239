import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import type { Attributes, Histogram, Meter } from '@opentelemetry/api'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor } from './grpc/door-for-tests.ts'

test('every call is measured with its method, system and code', async () => {
  const records: { seconds: number; attributes: Attributes | undefined }[] = []
  const histogram: Histogram = { record: (seconds, attributes) => void records.push({ seconds, attributes }) }
  const names: string[] = []
  const meter: Pick<Meter, 'createHistogram'> = {
    createHistogram(name) {
      names.push(name)
      return histogram
    },
  }
  await using door = await openTestDoor({ user: { getUser: () => ({}) }, pipeline: { meter: meter as Meter } })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  await users.getUser({ id: ADA }, { headers: { authorization: 'Bearer ada' } })
  await assert.rejects(users.getUser({ id: ADA }, { headers: { authorization: 'Bearer forged' } }))
  assert.deepEqual(names, ['rpc.server.call.duration'])
  const about = { 'rpc.system.name': 'grpc', 'rpc.method': 'gatehouse.user.v1.UserService/GetUser' }
  assert.deepEqual(
    records.map(({ attributes }) => attributes),
    [
      { ...about, 'rpc.response.status_code': 'OK' },
      { ...about, 'rpc.response.status_code': 'UNAUTHENTICATED' },
    ],
  )
  for (const { seconds } of records) assert.ok(seconds > 0 && seconds < 5)
})
