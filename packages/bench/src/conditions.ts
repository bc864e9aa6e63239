import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import type { Effort } from './benchmark.ts'
import { canPin } from './child.ts'
import { hasH2load } from './load/h2load.ts'

/** The machine and the run, as they stand beside every figure. */
export type Conditions = Readonly<Record<string, string | number | boolean>>

// A core that others use too gives ratios at best.
const calmLoad = 1

/** Looks at the machine as it is now. */
export function machine(effort: Effort): Conditions {
  const load = loadavg()[0] ?? 0
  return {
    date: new Date().toISOString().slice(0, 10),
    effort: effort.name,
    rounds: effort.rounds,
    seconds_a_round: effort.seconds,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memory_gb: Math.round(totalmem() / 2 ** 30),
    linux: release(),
    node: process.version,
    postgres: '18.4 (embedded)',
    young_generation_mb: 16,
    pinned: canPin,
    h2load: hasH2load,
    load_before: Number(load.toFixed(2)),
    calm: load <= calmLoad,
    commit: commit(),
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}
