import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Lease } from '@gatehouse/events'
import { type BatchObservableResult, metrics } from '@opentelemetry/api'
import { makeDueCheckpoints } from '../core/audit/make-due-checkpoints.ts'
import { sealBacklog } from '../core/audit/seal-backlog.ts'
import { sealEntries } from '../core/audit/seal-entries.ts'
import type { Deps } from '../core/deps.ts'

export interface SealerOptions {
  /** How often an idle table is looked at. */
  readonly pollMs?: number
  /** How long a holder that fell silent blocks its successor. */
  readonly leaseMs?: number
  readonly checkpointEveryMs?: number
}

const dayMs = 86_400_000
const checkpointsLookedForMs = 60_000
const maxBackoffMs = 5_000

/**
 * Seals what was audited. Every replica runs one; a lease in the database picks the one that works. While it or the database is away entries wait, and
 * nothing has to be done.
 */
export function startAuditSealer(
  deps: Pick<Deps, 'db' | 'keys' | 'now' | 'log'>,
  { pollMs = 200, leaseMs = 5_000, checkpointEveryMs = dayMs }: SealerOptions = {},
): AsyncDisposable & { readonly holds: () => boolean } {
  const { db, log } = deps
  const stop = new AbortController()
  const lease = new Lease(db, `${hostname()}/${process.pid}/${randomUUID()}`, leaseMs, { table: 'audit_lease', name: 'sealer' })
  let looked = Number.NEGATIVE_INFINITY

  const work = async (epoch: bigint): Promise<void> => {
    for (let more = true; more && lease.epoch === epoch && !stop.signal.aborted; ) {
      const sealed = await sealEntries(db, epoch)
      if (sealed === 'fenced') lease.doubt()
      more = sealed !== 0
    }
    if (performance.now() - looked < Math.min(checkpointsLookedForMs, checkpointEveryMs)) return
    looked = performance.now()
    await makeDueCheckpoints(deps, checkpointEveryMs)
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      let waitMs = pollMs
      try {
        const epoch = lease.epoch ?? (await lease.takeOrKeep())
        if (epoch === undefined) waitMs = leaseMs / 5
        else await work(epoch)
        if (failures > 0) log.info({ failures }, 'entries of the audit log are sealed again')
        failures = 0
      } catch (error) {
        if (failures === 0 && !stop.signal.aborted) log.warn({ err: error }, 'entries of the audit log cannot be sealed, trying on')
        waitMs = Math.min(maxBackoffMs, 100 * 2 ** Math.min(failures, 10))
        failures++
      }
      await delay(waitMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const running = run()
  const keeping = setInterval(() => {
    if (lease.epoch !== undefined) lease.takeOrKeep().catch(() => {})
  }, leaseMs / 4)
  const unobserve = observe(deps, lease)
  return {
    holds: () => lease.epoch !== undefined,
    async [Symbol.asyncDispose]() {
      stop.abort()
      unobserve()
      clearInterval(keeping)
      await running
      // Without a database the lease runs out by itself.
      await lease.release().catch(() => {})
    },
  }
}

function observe(deps: Pick<Deps, 'db'>, lease: Pick<Lease<unknown>, 'epoch'>): () => void {
  const meter = metrics.getMeter('@gatehouse/auth')
  const waiting = meter.createObservableGauge('gatehouse.audit.unsealed', {
    description: 'Entries of the audit log that wait for their seal (counted up to 10,000)',
  })
  const age = meter.createObservableGauge('gatehouse.audit.unsealed_age', { description: 'Age of the oldest such entry', unit: 's' })
  const leader = meter.createObservableGauge('gatehouse.audit.sealer', { description: 'Whether this process seals: 1 in one replica' })
  const see = async (result: BatchObservableResult): Promise<void> => {
    result.observe(leader, lease.epoch === undefined ? 0 : 1)
    const backlog = await sealBacklog(deps).catch(() => undefined)
    if (backlog === undefined) return
    result.observe(waiting, backlog.entries)
    result.observe(age, backlog.oldestSeconds)
  }
  meter.addBatchObservableCallback(see, [waiting, age, leader])
  return () => meter.removeBatchObservableCallback(see, [waiting, age, leader])
}
