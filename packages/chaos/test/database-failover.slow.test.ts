import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScenario } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { databaseFailover } from '../src/scenarios/database-failover.ts'

const seed = 41

test('the primary of Postgres is killed, and its standby takes its place: writes resume in time and nothing acknowledged is lost', async () => {
  // One replica of each: what dies here is behind them.
  const small = { ...databaseFailover, house: { ...databaseFailover.house, replicas: 1 } }
  const { violations, faults } = await runScenario(small, {
    seed,
    effort: { ...efforts.smoke, faults: 3, operations: 20 },
    say: () => undefined,
  })
  assert.deepEqual(violations, [])
  assert.ok(faults >= 3, `${faults} faults`)
})
