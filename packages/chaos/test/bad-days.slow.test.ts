import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConstellation } from '../src/constellation.ts'
import { runIn } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { killServices } from '../src/scenarios/kill-services.ts'
import { relayFaults } from '../src/scenarios/relay-faults.ts'
import { rollingRestart } from '../src/scenarios/rolling-restart.ts'

const seed = 20

test('services that are killed, relays that lose their holders, and a rolling restart lose nothing, double nothing and mix up nothing', async () => {
  await using house = await openConstellation({ seed })
  const result = await runIn(house, [killServices, relayFaults, rollingRestart], { seed, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 100 && result.faults >= 9, `${result.operations} operations × ${result.faults} faults`)
})
