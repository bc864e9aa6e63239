import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScenario } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { brokerCluster } from '../src/scenarios/broker-cluster.ts'

const seed = 41

test('of three brokers those that lead are killed under load: no call fails and nothing is lost', async () => {
  // One replica of each: what dies here is behind them.
  const small = { ...brokerCluster, house: { ...brokerCluster.house, replicas: 1 } }
  const { violations, faults } = await runScenario(small, {
    seed,
    effort: { ...efforts.smoke, faults: 2, operations: 20 },
    say: () => undefined,
  })
  assert.deepEqual(violations, [])
  assert.ok(faults >= 2, `${faults} faults`)
})
