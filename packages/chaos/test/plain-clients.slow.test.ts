import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScenario } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
import { plainClients } from '../src/scenarios/plain-clients.ts'

test('while replicas are replaced no call of a client without retries fails, through a gateway and over kept connections', async () => {
  const result = await runScenario(plainClients, { seed: 20, effort: efforts.smoke, say: () => undefined })
  assert.deepEqual(result.violations, [])
  assert.ok(result.operations > 100 && result.faults >= 3, `${result.operations} operations × ${result.faults} faults`)
})
