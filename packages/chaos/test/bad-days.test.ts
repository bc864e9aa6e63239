import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConstellation } from '../src/constellation.ts'
import { runIn } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { brokerAway } from '../src/scenarios/broker-away.ts'
import { databaseAway } from '../src/scenarios/database-away.ts'
import { killServices } from '../src/scenarios/kill-services.ts'
import { relayFaults } from '../src/scenarios/relay-faults.ts'
import { rollingRestart } from '../src/scenarios/rolling-restart.ts'
import { strangeEvents } from '../src/scenarios/strange-events.ts'

const seed = 20
const bounded = [killServices, relayFaults, rollingRestart, brokerAway, strangeEvents, databaseAway]

test('a row of bad days for services, relays, broker and database loses nothing, doubles nothing, mixes up nothing and revives nobody', async () => {
  await using house = await openConstellation({ seed })
  const result = await runIn(house, bounded, { seed, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 200 && result.faults >= 30, `${result.operations} operations × ${result.faults} faults`)
})
