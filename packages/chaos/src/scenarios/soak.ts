import { setTimeout as delay } from 'node:timers/promises'
import type { Violation } from '../checker/evidence.ts'
import { startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'
import { measure, type Sample } from '../soak/sample.ts'
import { growthOf } from '../soak/slope.ts'

const warmUpShare = 0.25
const leastSamples = 20

/** A steady rate, nothing else: what grows without an end shows itself here. */
export const soak: Scenario = {
  name: 'soak',
  faults: 'a steady rate of calls for twenty minutes, and no fault',
  promise: 'memory, handles, connections, table bloat and the number of consumers are flat after the warm-up',
  alone: true,
  async run(house, { random, effort, say }) {
    const totalMs = effort.minutes * 60_000
    await using load = await startLoad(house, { random, administrators: 2, people: 2, pauseMs: 100, givesUpPercent: 0 })
    const samples: Sample[] = []
    const began = performance.now()
    const everyMs = Math.min(15_000, totalMs / (2 * leastSamples))
    while (performance.now() - began < totalMs) {
      await delay(everyMs)
      const sample = await measure(house)
      samples.push(sample)
      if (samples.length % leastSamples === 0)
        say(`${load.operations} operations, ${Math.round(sample.values.get('auth.0 memory') ?? 0)} MB in auth.0`)
    }
    await load.stop()
    return verdictOn(samples, say)
  },
}

function verdictOn(samples: readonly Sample[], say: (line: string) => void): readonly Violation[] {
  const settled = samples.slice(Math.floor(samples.length * warmUpShare))
  const evidence: string[] = []
  for (const growth of growthOf(settled)) {
    const line = `${growth.what}: ${growth.first.toFixed(1)} → ${growth.last.toFixed(1)} ${growth.unit} over the run, ${growth.most.toFixed(1)} allowed`
    say(line)
    if (growth.last - growth.first > growth.most) evidence.push(line)
  }
  return evidence.length === 0 ? [] : [{ rule: 'flat', sentence: 'nothing grows without an end at a steady rate', evidence }]
}
