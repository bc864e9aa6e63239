import type { Benchmark } from '../benchmark.ts'
import { cores, startChild } from '../child.ts'
import type { AccessChecksActs } from '../programs/access-checks.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** What it costs to know what somebody may do. */
export const accessCheck: Benchmark = {
  name: 'access-check',
  about: 'decisions of a door that follows auth, by a role and by a role under a CEL condition, one after the other on one core',
  alone: true,
  async run(bench) {
    await using child = await startChild<AccessChecksActs>('access-checks', cores.server)
    const people = bench.effort.name === 'smoke' ? 20 : 1_000
    await child.call('prepare', people)
    const run = (side: Parameters<AccessChecksActs['run']>[0]['side']) => (seconds: number) => child.call('run', { side, seconds })
    const results = await alternate(bench.effort, {
      role: run('role'),
      set: run('bare set'),
      condition: run('condition'),
      cel: run('bare condition'),
    })
    const row = (what: string, figures: readonly number[], name: string, theirs: readonly number[]) => ({
      name: 'access-check',
      what,
      figure: spreadOf(figures),
      unit: 'checks/s',
      against: { name, figure: spreadOf(theirs) },
      ratio: ratioOf(figures, theirs),
      goal: { of: 'figure' as const, least: 200_000 },
      conditions: { people },
    })
    return [
      row('by a role', results.role, 'a Set in a Map', results.set),
      row('by a role under a condition', results.condition, 'the CEL library alone', results.cel),
    ]
  },
}
