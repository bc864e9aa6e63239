import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor, personFor } from './grpc/door-for-tests.ts'

test("a stream goes on by the service's clock, where the machine's is an hour ahead", async () => {
  const now = () => Date.now() - 3_600_000
  await using door = await openTestDoor({
    inbox: {
      async *watchInbox(_request, context) {
        yield { cursor: '1' }
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
      },
    },
    pipeline: { now },
  })
  door.people.set('short', personFor(ADA, { expireTime: now() + 1_200 }))
  await using transport = peerTransport({ target: 'notification', url: door.url })
  const started = performance.now()
  const streams = createClient(InboxService, transport).watchInbox({}, { headers: { authorization: 'Bearer short' } })
  for await (const { cursor } of streams) assert.equal(cursor, '1')
  assert.ok(performance.now() - started >= 1_200)
})
