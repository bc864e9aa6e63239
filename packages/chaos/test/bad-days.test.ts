import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Constellation, openConstellation } from '../src/constellation.ts'
import { runIn } from '../src/run-scenario.ts'
import { efforts, type Scenario } from '../src/scenario.ts'
import { brokerAway } from '../src/scenarios/broker-away.ts'
import { databaseAway } from '../src/scenarios/database-away.ts'
import { killServices } from '../src/scenarios/kill-services.ts'
import { relayFaults } from '../src/scenarios/relay-faults.ts'
import { rollingRestart } from '../src/scenarios/rolling-restart.ts'
import { strangeEvents } from '../src/scenarios/strange-events.ts'

const seed = 20

let house: Constellation
before(async () => {
  house = await openConstellation({ seed })
})
after(() => house[Symbol.asyncDispose]())

/** One after the other in one house, which is as they left it when the next test begins. */
async function pass(scenarios: readonly Scenario[], faults: number): Promise<void> {
  const result = await runIn(house, scenarios, { seed, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 100 && result.faults >= faults, `${result.operations} operations × ${result.faults} faults`)
}

test('services that are killed, relays that lose their holders, and a rolling restart lose nothing, double nothing and mix up nothing', () =>
  pass([killServices, relayFaults, rollingRestart], 9))

test('nor do a broker that comes and goes and strange events', () => pass([brokerAway, strangeEvents], 20))

test('nor does a database that comes and goes, which everybody is told in time', () => pass([databaseAway], 30))
