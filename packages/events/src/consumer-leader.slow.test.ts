import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { openCluster } from '../test/cluster.ts'
import { until } from '../test/road.ts'
import { consumeStream } from './consume-stream.ts'
import { consumerSettings } from './consumer-settings.ts'
import { connectNats } from './nats.ts'
import { streamOf } from './nats-names.ts'
import { applyStream } from './stream.ts'

const stream = streamOf('user')
const subjects = ['gatehouse.user.v1.*']

/** Another server leads the consumer from now on, and knows of none who waits for its messages. */
async function moveLeader(connection: NatsConnection, consumer: string): Promise<void> {
  const answer = await connection.request(`$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.${consumer}`, undefined, { timeout: 5_000 })
  assert.equal(answer.json<{ success?: boolean }>().success, true, answer.string())
}

/** Takes messages as the client library does by itself, with the longest patience that we ever gave it. */
async function takePlainly(connection: NatsConnection, taken: Set<string>): Promise<AsyncDisposable> {
  const manager = await jetstreamManager(connection)
  await manager.consumers.add(stream, { ...consumerSettings({ subjects, from: 'start' }), durable_name: 'plain' })
  const messages = await (await jetstream(connection).consumers.get(stream, 'plain')).consume({ max_messages: 64, expires: 10_000 })
  const ended = (async () => {
    for await (const message of messages) {
      taken.add(message.string())
      message.ack()
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      await messages.close()
      await ended
    },
  }
}

test('where another server leads a consumer, events go on within seconds', { timeout: 60_000 }, async () => {
  await using cluster = await openCluster()
  await using nats = connectNats({ url: cluster.url, name: 'test' })
  const connection = await nats.connected()
  await applyStream(connection, 'user', { replicas: 3 })
  const ours = new Set<string>()
  const plain = new Set<string>()
  await using _ours = consumeStream({
    nats,
    source: 'user',
    subjects,
    durable: 'ours',
    from: 'start',
    concurrency: 4,
    batchSize: 32,
    keyOf: (message) => message.string(),
    onMessages: async (messages) => {
      for (const message of messages) {
        ours.add(message.string())
        message.ack()
      }
      return []
    },
    log: { info() {}, warn() {}, error() {} },
  })
  await using _plain = await takePlainly(connection, plain)
  const tell = (what: string) => jetstream(connection).publish('gatehouse.user.v1.Tested', what)
  await tell('before')
  await until(() => ours.has('before') && plain.has('before'), 20_000)

  await Promise.all(['ours', 'plain'].map((consumer) => moveLeader(connection, consumer)))
  await tell('after')
  await until(() => ours.has('after'), 8_000)
  // What is seen above would not be seen of everybody.
  assert.ok(!plain.has('after'), 'the client library does it by itself: nothing of ours is needed')
})
