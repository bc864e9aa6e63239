import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '@gatehouse/postgres'
import { startFaultProxy, testDatabase } from '@gatehouse/testkit'
import { followClock } from './clock.ts'

test('a database that is away at first is asked for the time until it answers', async () => {
  await using database = await testDatabase({ service: 'clock', sets: [] })
  const { hostname: host, port } = new URL(database.url)
  await using proxy = await startFaultProxy({ targets: { host, port: Number(port) } })
  await proxy.set({ kind: 'refuse' })
  await using connection = connect({ url: Object.assign(new URL(database.url), { port: String(proxy.port) }).href, poolSize: 2 })
  await using clock = followClock(connection.kysely)
  let measured = false
  void clock.measured.then(() => {
    measured = true
  })
  await assert.rejects(connection.kysely.selectNoFrom((eb) => eb.val(1).as('one')).execute())
  assert.equal(measured, false)
  await proxy.set()
  await clock.measured
  assert.ok(Math.abs(clock.now() - Date.now()) < 5_000)
})
