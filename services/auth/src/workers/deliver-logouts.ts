import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import type { Deps } from '../core/deps.ts'
import { deliverLogouts, type LogoutOutcome, logoutsAtOnce, type TellLogout } from '../core/oidc/logout/deliver-logouts.ts'
import { logoutsWaiting } from '../core/oidc/logout/logouts-waiting.ts'
import { createRestingClients } from '../core/oidc/logout/resting-clients.ts'
import { repeat } from './repeat.ts'

type Parts = Pick<Deps, 'db' | 'now' | 'log'>

/** Tells clients of ended sessions, within a second where they answer, and for a day where they do not. Every replica runs one, and each takes what the others do not have. */
export function startDeliveringLogouts(deps: Parts, tell: TellLogout, { everyMs = 1_000 } = {}): AsyncDisposable {
  const told = metrics.getMeter('gatehouse.auth').createCounter('gatehouse.oidc.logouts', {
    description: 'Attempts to tell a client that a session ended, by outcome',
  })
  const outcomes: readonly LogoutOutcome[] = ['delivered', 'dropped', 'failed', 'given_up']
  // An alarm on a counter that appears with its first count misses that one.
  for (const outcome of outcomes) told.add(0, { outcome })
  const delivering = { tell, resting: createRestingClients(), count: (outcome: LogoutOutcome) => told.add(1, { outcome }) }
  const unobserve = observe(deps)
  const worker = repeat({
    name: 'logouts',
    everyMs,
    log: deps.log,
    async act(signal) {
      while ((await deliverLogouts(deps, delivering)) === logoutsAtOnce && !signal.aborted);
    },
  })
  return {
    async [Symbol.asyncDispose]() {
      unobserve()
      await worker[Symbol.asyncDispose]()
    },
  }
}

function observe(deps: Pick<Deps, 'db' | 'now'>): () => void {
  const meter = metrics.getMeter('gatehouse.auth')
  const waiting = meter.createObservableGauge('gatehouse.oidc.logouts_waiting', {
    description: 'Ends of sessions that clients are still to be told of (counted up to 10,000)',
  })
  const overdue = meter.createObservableGauge('gatehouse.oidc.logouts_overdue', {
    description: 'For how long the first of them has been due',
    unit: 's',
  })
  const see = async (result: BatchObservableResult): Promise<void> => {
    const seen = await logoutsWaiting(deps).catch(() => undefined)
    if (seen === undefined) return
    result.observe(waiting, seen.count)
    result.observe(overdue, seen.overdueSeconds)
  }
  meter.addBatchObservableCallback(see, [waiting, overdue])
  return () => meter.removeBatchObservableCallback(see, [waiting, overdue])
}
