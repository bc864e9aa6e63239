import { metrics } from '@opentelemetry/api'
import { type SuspicionName, suspicionNames } from './suspicion-kinds.ts'

// Made when it is first used: until telemetry has started, a counter counts nothing.
function told() {
  return metrics.getMeter('gatehouse.auth').createCounter('gatehouse.suspicions', {
    description: 'Suspicious activity that was told, by kind',
  })
}

/** A transaction that is run again counts again. */
export function countTold(kind: SuspicionName): void {
  told().add(1, { kind })
}

/** Shows that nothing was told yet: an alarm on a counter that appears with its first count misses that one. */
export function showSuspicions(): void {
  for (const kind of suspicionNames) told().add(0, { kind })
}
