import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConstellation } from '../src/constellation.ts'
import { runIn } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { brokerAway } from '../src/scenarios/broker-away.ts'
import { databaseAway } from '../src/scenarios/database-away.ts'
import { strangeEvents } from '../src/scenarios/strange-events.ts'

const seed = 20

test('a broker and a database that come and go, and strange events, lose nothing, double nothing, mix up nothing and revive nobody', async () => {
  await using house = await openConstellation({ seed })
  const result = await runIn(house, [brokerAway, strangeEvents, databaseAway], { seed, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 100 && result.faults >= 15, `${result.operations} operations × ${result.faults} faults`)
})
