import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type Counter, type MeterProvider, metrics } from '@opentelemetry/api'
import { commonRefusal, type Refusal } from './refusal.ts'

/** What there was too much of. */
export type Shed = 'calls' | 'streams' | 'bodies' | 'hashes' | 'peer_calls' | 'watches'

const counters = new WeakMap<MeterProvider, Counter>()

// Not made when the module is loaded: until telemetry has started, a counter counts nothing.
function counter(): Counter {
  const provider = metrics.getMeterProvider()
  const known = counters.get(provider)
  if (known !== undefined) return known
  const made = provider.getMeter('gatehouse.rpc').createCounter('gatehouse.shed', {
    description: 'What was refused with OVERLOADED before anything was done for it, by what there was too much of',
  })
  counters.set(provider, made)
  return made
}

/** Refuses what there is no room for, and counts it: a call that is not even read leaves no other trace. */
export function overloaded(what: Shed): Refusal {
  counter().add(1, { what })
  return commonRefusal(ErrorReason.OVERLOADED, {}, { retryAfterSeconds: 1 })
}

/** Shows that nothing was shed yet: an alarm on a counter that appears with its first count misses that one. */
export function showShed(...all: readonly Shed[]): void {
  for (const what of all) counter().add(0, { what })
}
