import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roleOf, secretsOf } from '@gatehouse/local'
import { programForTest } from '@gatehouse/testkit'
import pg from 'pg'
import { openConstellation } from '../src/constellation.ts'
import { runIn } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { conflicts } from '../src/scenarios/conflicts.ts'
import { gatehouseUrl } from '../src/servers.ts'
import { within } from '../src/until.ts'

const seed = 20

test('through PgBouncer, with transactions refused at statements and at commits, nothing is lost, doubled or half written, and no statement needs a session', async (t) => {
  if (!(await programForTest(t, 'pgbouncer'))) return
  await using house = await openConstellation({ seed, throughPooler: true })
  const result = await runIn(house, [conflicts], { seed, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 50 && result.faults > 20, `${result.operations} operations × ${result.faults} faults`)

  const { pooled, postgres } = house.servers
  assert.ok(pooled)
  assert.equal(pooled.statements.offences.length, 0)
  const { database } = await secretsOf(house.folder)
  const url = Object.assign(new URL(pooled.pooler.urlOf(gatehouseUrl(postgres.url))), { username: roleOf('user'), password: database.user })
  const planted = new pg.Client({ connectionString: url.href })
  await planted.connect()
  try {
    await planted.query('listen people')
    await planted.query('select pg_advisory_xact_lock($1)', [1])
  } finally {
    await planted.end()
  }
  assert.ok(await within(10_000, () => pooled.statements.offences.length === 2))
  assert.deepEqual(
    pooled.statements.offences.map((offence) => offence.split(': ')[0]),
    ['LISTEN lives in a session', 'advisory locks live in a session, or on one machine'],
  )
})
