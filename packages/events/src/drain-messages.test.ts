import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { startFaultProxy, testNats } from '@gatehouse/testkit'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { until } from '../test/road.ts'
import { toHeaders } from './envelope.ts'
import { connectNats, type Nats } from './nats.ts'
import { streamOf } from './nats-names.ts'
import { subscribe } from './subscribe.ts'

/** Fewer than are asked for at once. */
const events = 20
const body = toBinary(UserCreatedSchema, create(UserCreatedSchema, { userId: 'x', version: 1n }))

async function publish(nats: Nats, key: string): Promise<void> {
  const envelope = { id: crypto.randomUUID(), tenant: 'default', type: UserCreatedSchema.typeName, key, version: 1n, time: new Date() }
  await jetstream(await nats.connected()).publish(`${envelope.type}.default`, body, { headers: toHeaders(envelope, 'user') })
}

test('what is on its way to a replica that leaves goes to the next one at once', async () => {
  await using broker = await testNats()
  const { port } = new URL(broker.url)
  await using way = await startFaultProxy({ targets: { host: '127.0.0.1', port: Number(port) } })
  await using near = connectNats({ url: broker.url, name: 'near' })
  await using far = connectNats({ url: Object.assign(new URL(broker.url), { host: `127.0.0.1:${way.port}` }).href, name: 'far' })
  const connection = await near.connected()
  const told = new Set<string>()
  const taking = (nats: Nats) =>
    subscribe({ nats, name: 'leaving', events: [UserCreatedSchema], onEvent: (_message, { key }) => void told.add(key) })

  await using leaving = taking(far)
  await publish(near, 'first')
  await until(() => told.has('first'))
  await way.set({ kind: 'latency', ms: 400 })
  await Promise.all(Array.from({ length: events }, (_, at) => publish(near, `key ${at}`)))
  const { consumers } = await jetstreamManager(connection)
  await until(async () => (await consumers.info(streamOf('user'), 'subscriber-leaving')).num_ack_pending >= events)
  assert.equal(told.size, 1)
  await leaving[Symbol.asyncDispose]()

  await using _staying = taking(near)
  await until(() => told.size === 1 + events, 5_000)
})
