import { availableParallelism, cpus } from 'node:os'

/**
 * Measures which share of the machine's processors was idle since the last look. Where this process may not use all that it sees, as in a container with
 * a quota, the answer is 0: whose time that is cannot be told.
 */
export function idleShare(): () => number {
  let before = spent()
  return () => {
    const now = spent()
    const share = (now.idle - before.idle) / Math.max(1, now.all - before.all)
    before = now
    return cpus().length === availableParallelism() ? share : 0
  }
}

function spent(): { readonly idle: number; readonly all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const sum = (of: (each: (typeof times)[number]) => number) => times.reduce((total, each) => total + of(each), 0)
  return { idle: sum(({ idle }) => idle), all: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq) }
}
