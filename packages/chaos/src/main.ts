import { parseArgs } from 'node:util'
import { runScenario } from './run-scenario.ts'
import { efforts } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, scenario: { type: 'string' }, quick: { type: 'boolean' }, smoke: { type: 'boolean' }, keep: { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
for (const scenario of scenarios) {
  if (values.scenario !== undefined && scenario.name !== values.scenario) continue
  console.log(`${scenario.name}, seed ${seed}`)
  const result = await runScenario(scenario, {
    seed,
    effort: values.smoke ? efforts.smoke : values.quick ? efforts.quick : efforts.full,
    say: console.log,
    ...(values.keep !== undefined && { folder: values.keep }),
  })
  console.log(JSON.stringify(result, undefined, 2))
}
