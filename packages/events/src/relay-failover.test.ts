import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { jetstream } from '@nats-io/jetstream'
import { sql } from 'kysely'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { fromMessage } from './envelope.ts'
import { createRelay } from './relay.ts'

let road: Road
before(async () => {
  road = await openRoad()
})
after(() => road[Symbol.asyncDispose]())

const keys = Array.from({ length: 8 }, (_, i) => `key ${i}`)

/** Writes versions of every key until told to stop; gives how many each key got. */
function write(tenant: string): () => Promise<number> {
  let writing = true
  const done = (async () => {
    let version = 0
    while (writing) {
      version++
      await Promise.all(keys.map((key) => tell(road.database, key, version, tenant)))
    }
    return version
  })()
  return () => {
    writing = false
    return done
  }
}

async function versionsInStream(tenant: string): Promise<Map<string, bigint[]>> {
  const connection = await road.nats.connected()
  const consumer = await jetstream(connection).consumers.get('gatehouse-user', { filter_subjects: [`gatehouse.user.v1.*.${tenant}`] })
  const { num_pending: count } = await consumer.info()
  const versions = new Map<string, bigint[]>(keys.map((key) => [key, []]))
  let read = 0
  for await (const message of await consumer.consume()) {
    const { key, version } = fromMessage(message)
    versions.get(key)?.push(version)
    if (++read === count) break
  }
  return versions
}

const published = async (tenant: string): Promise<number> =>
  Number(
    (
      await sql<{ n: bigint }>`select count(*) as n from outbox where tenant = ${tenant} and published_time is not null`.execute(
        road.database.kysely,
      )
    ).rows[0]?.n,
  )

const startProcess = (): ChildProcess =>
  spawn(process.execPath, [new URL('../test/relay-process.ts', import.meta.url).pathname, road.testDatabase.url, road.broker.url], {
    stdio: 'inherit',
  })

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  if (child.kill('SIGKILL')) await exited
}

for (const fate of ['killed', 'frozen and thawed'] as const) {
  test(`a relay that is ${fate} in the middle of its work loses nothing and mixes up no key`, async () => {
    const tenant = fate.replaceAll(' ', '-')
    const child = startProcess()
    try {
      const stopWriting = write(tenant)
      await until(async () => (await published(tenant)) > 100)
      child.kill(fate === 'killed' ? 'SIGKILL' : 'SIGSTOP')
      const soFar = await published(tenant)
      await using relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 5, leaseMs: 500, batchSize: 20 })
      await until(() => relay.holds())
      await until(async () => (await published(tenant)) > soFar + 100)
      child.kill('SIGCONT')
      await until(async () => (await published(tenant)) > soFar + 300)
      const written = await stopWriting()
      await until(async () => (await countUnpublished(road.database)) === 0)
      assert.equal(relay.holds(), true)
      const expected = Array.from({ length: written }, (_, i) => BigInt(i + 1))
      for (const [key, versions] of await versionsInStream(tenant)) assert.deepEqual(versions, expected, key)
    } finally {
      await end(child)
    }
  })
}
