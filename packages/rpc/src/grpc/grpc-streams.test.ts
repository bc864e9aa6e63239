import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { peerTransport } from '../client/peer-transport.ts'
import { reasonOf } from '../peer-error.ts'
import { ADA, AS_ADA, openTestDoor, personFor, until } from './door-for-tests.ts'
import { frame, openSession } from './raw-call-for-tests.ts'

describe('a stream', () => {
  const open = () =>
    openTestDoor({
      inbox: {
        async *watchInbox(_request, context) {
          yield { cursor: '1' }
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
          ended += 1
        },
      },
    })
  let ended = 0

  test("ends well when the person's token ends", async () => {
    await using door = await open()
    door.people.set('short', personFor(ADA, { expireTime: Date.now() + 500 }))
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const cursors: string[] = []
    for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, { headers: { authorization: 'Bearer short' } })) {
      cursors.push(cursor)
    }
    assert.deepEqual(cursors, ['1'])
  })

  test('ends well at its age, however old its connection is', async () => {
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox(_request, context) {
          for (let cursor = 1; ; cursor += 1) {
            yield { cursor: String(cursor) }
            await delay(20, undefined, { signal: context.signal })
          }
        },
      },
      pipeline: { maxStreamSeconds: 0.6 },
      door: { maxConnectionAgeSeconds: 0.2 },
    })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const started = performance.now()
    for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA)) assert.notEqual(cursor, '')
    const lasted = performance.now() - started
    assert.ok(lasted > 500, `${lasted} ms`)
    assert.deepEqual(
      door.log.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })

  test('is refused within seconds after its token was revoked', async () => {
    await using door = await open()
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const watching = (async () => {
      for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA))
        if (cursor === '1') door.people.delete('ada')
    })()
    await assert.rejects(watching, (error) => reasonOf(error) === 'ACCESS_TOKEN_INVALID')
  })

  test('ends its handler when the caller goes', async () => {
    await using door = await open()
    await using transport = peerTransport({ target: 'notification', url: door.url })
    ended = 0
    const abort = new AbortController()
    const watching = (async () => {
      for await (const _ of createClient(InboxService, transport).watchInbox({}, { ...AS_ADA, signal: abort.signal })) abort.abort()
    })()
    await assert.rejects(watching, (error: ConnectError) => error.code === Code.Canceled)
    await until(() => ended === 1)
    assert.deepEqual(
      door.log.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })

  test('whose handler fails half-way tells what it had and then the neutral error', async () => {
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox() {
          yield { cursor: '1' }
          throw new Error('half-way')
        },
      },
    })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const cursors: string[] = []
    await assert.rejects(
      async () => {
        for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA)) cursors.push(cursor)
      },
      (error) => reasonOf(error) === 'INTERNAL',
    )
    assert.deepEqual(cursors, ['1'])
    assert.equal(door.log.filter(({ level }) => level === 'error').length, 1)
  })

  test('waits for a caller that does not read', async () => {
    let made = 0
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox() {
          for (;;) {
            made += 1
            yield { cursor: 'x'.repeat(60_000) }
          }
        },
      },
    })
    await using session = await openSession(door.door.port)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/gatehouse.notification.v1.InboxService/WatchInbox',
      'content-type': 'application/grpc',
      ...AS_ADA.headers,
    })
    stream.on('error', () => {})
    stream.end(frame(Buffer.alloc(0)))
    await until(() => made > 0)
    let before = -1
    while (before !== made) {
      before = made
      await delay(100)
    }
    assert.ok(made < 10, `${made} messages were made for nobody`)
    stream.close(8)
  })

  test('that is not read is cut, says so to whoever reads on, and nothing is missed from the last cursor', async () => {
    let ended = 0
    const options = {
      inbox: {
        async *watchInbox({ cursor }: { cursor: string }) {
          try {
            for (let next = Number(cursor) + 1; next <= 200; next++) yield { cursor: String(next), items: [{ title: 'x'.repeat(60_000) }] }
          } finally {
            ended += 1
          }
        },
      },
    }
    await using door = await openTestDoor({ ...options, pipeline: { slowReaderSeconds: 0.2 }, door: { maxStreams: 1 } })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const read: number[] = []
    const watching = createClient(InboxService, transport).watchInbox({ cursor: '0' }, AS_ADA)[Symbol.asyncIterator]()
    await watching.next()
    read.push(1)
    // Its handler ends although nobody asks for more.
    await until(() => ended === 1)
    await assert.rejects(
      async () => {
        for (;;) read.push(Number((await watching.next()).value?.cursor))
      },
      (error) => reasonOf(error) === 'SLOW_READER',
    )
    assert.ok(read.length < 200)
    // Its place is free again.
    await createClient(InboxService, transport).watchInbox({ cursor: '199' }, AS_ADA)[Symbol.asyncIterator]().next()
    await using patient = await openTestDoor(options)
    await using again = peerTransport({ target: 'notification', url: patient.url })
    for await (const { cursor } of createClient(InboxService, again).watchInbox({ cursor: String(read.length) }, AS_ADA))
      read.push(Number(cursor))
    assert.deepEqual(
      read,
      Array.from({ length: 200 }, (_, i) => i + 1),
    )
  })
})
