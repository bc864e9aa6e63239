import type { Violation } from '../checker/evidence.ts'
import { databaseDays } from '../database-days.ts'
import type { Operation } from '../history.ts'
import { startLoad } from '../load.ts'
import { type Probe, type Prober, startProber } from '../prober.ts'
import type { Scenario } from '../scenario.ts'
import { StatementCount } from '../statement-count.ts'
import { within } from '../until.ts'

/** The database restarts, stalls, is slow, or takes no connections: everybody is told soon, nobody asks again and again, and it is over when it is over. */
export const databaseAway: Scenario = {
  name: 'database-away',
  faults:
    'Postgres restarted, frozen for 5 s, unreachable, 2 s slow (once for a minute), a dripping line, every connection cut, no connections left',
  promise:
    'bounded waits with typed unavailable or deadline_exceeded, no retry storm (statements ≤ 1.2 × calls), token verification unaffected, recovery within ten seconds without a restart',
  async run(house, { random, effort, say }) {
    const faultsBefore = house.history.faults.length
    const violations: Violation[] = []
    const pids = house.replicas.map(({ pid }) => pid)
    const days = Object.entries(databaseDays)
    const ms = effort.name === 'smoke' ? 300 : 5_000
    {
      await using prober = await startProber(house, { readsPerSecond: 30, updatesPerSecond: 5, verificationsPerSecond: 5 })
      const statements = new StatementCount()
      for (const link of house.links.matching(/^user\.\d+→postgres$/)) {
        statements.watch(house.links.at(link))
        house.links.cut(link)
      }
      for (const [name, day] of effort.name === 'smoke' ? days.slice(0, 2) : days) {
        const lasts = name === 'slow' ? effort.minutes * 3_000 : ms
        violations.push(...(await probedDay({ prober, statements, name, say }, () => day(house, lasts))))
      }
    }
    const from = house.history.operations.length
    {
      await using load = await startLoad(house, { random, administrators: 3, people: 2, pauseMs: 100 })
      while (house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations) {
        const [, day] = random.pick(days)
        await house.adminToken()
        await day(house, random.integer(300, effort.name === 'smoke' ? 600 : 3_000))
        const before = load.operations
        await within(10_000, () => load.operations > before + 10)
      }
      await load.stop()
    }
    violations.push(...typed(house.history.operations.slice(from)))
    if (house.replicas.some(({ pid }, i) => pid !== pids[i]))
      violations.push(violation('recovers', 'a service did not live through it: another process answers'))
    return violations
  },
}

const sentences = {
  'bounded-waits': 'while the database is away, calls end in time with unavailable, deadline_exceeded or resource_exhausted',
  'no-retry-storm': 'no more than 1.2 statements come to the database for each call',
  'verification-unaffected': 'tokens are verified within a second, whatever the database does',
  recovers: 'everything works again within ten seconds, without a restart',
}

const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

const recoveryMs = 10_000
const calmMs = 1_500
const deadlineMs = 5_000
// The machine is small, and shared with all that is tried.
const slackMs = 1_500
const amplification = 1.2
const typedCodes = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])

interface ProbedDay {
  readonly prober: Prober
  readonly statements: StatementCount
  readonly name: string
  readonly say: (line: string) => void
}

async function probedDay({ prober, statements, name, say }: ProbedDay, day: () => Promise<void>): Promise<Violation[]> {
  await prober.renew()
  const reads = /^select (?!.*for update).* from "users" where .*any\(/s
  const updates = /^update "users"/
  const before = { probes: prober.probes.length, reads: statements.of(reads), updates: statements.of(updates), began: performance.now() }
  await day()
  const healed = performance.now()
  const failures = () =>
    prober.probes.filter(({ began, outcome, kind }) => began >= before.began && outcome.kind === 'unknown' && kind !== 'verify')
  const lastFailure = () => Math.max(healed, ...failures().map(({ began }) => began))
  // What was asked before it was over may be answered as late as its deadline.
  await within(recoveryMs + calmMs, () => performance.now() - lastFailure() > calmMs)
  const recoveredMs = lastFailure() - healed
  const seen = prober.probes.slice(before.probes)
  const of = (kind: Probe['kind']) => seen.filter((probe) => probe.kind === kind)
  const found: Violation[] = []
  if (recoveredMs > recoveryMs)
    found.push(violation('recovers', `${name}: a call that began ${Math.round(recoveredMs)} ms after the end failed`))
  for (const [kind, count] of [
    ['read', statements.of(reads) - before.reads],
    ['update', statements.of(updates) - before.updates],
  ] as const) {
    const calls = of(kind).length
    if (count > amplification * calls + 2)
      found.push(violation('no-retry-storm', `${name}: ${count} statements for ${calls} calls (${kind})`))
  }
  const late = [...of('read'), ...of('update')].filter(
    ({ ms, outcome }) => ms > deadlineMs + slackMs || (outcome.kind !== 'done' && !typedCodes.has(outcome.code)),
  )
  if (late.length > 0) found.push(violation('bounded-waits', ...late.slice(0, 5).map((probe) => `${name}: ${told(probe)}`)))
  const unverified = of('verify').filter(
    ({ ms, outcome }) => ms > 1_000 || outcome.kind !== 'refused' || outcome.code !== 'permission_denied',
  )
  if (unverified.length > 0)
    found.push(violation('verification-unaffected', ...unverified.slice(0, 5).map((probe) => `${name}: ${told(probe)}`)))
  say(
    `${name}: ${failures().length} of ${of('read').length + of('update').length} calls failed, ${Math.round(recoveredMs)} ms to recover; ` +
      `${statements.of(reads) - before.reads} statements for ${of('read').length} reads, ${statements.of(updates) - before.updates} for ${of('update').length} updates`,
  )
  return found
}

const told = ({ kind, ms, outcome }: Probe): string =>
  `${kind} ended after ${Math.round(ms)} ms with ${outcome.kind === 'done' ? 'an answer' : `${outcome.code} ${outcome.reason}`}`

/** How every call of the load ended. */
function typed(operations: readonly Operation[]): Violation[] {
  const wrong = operations.flatMap(({ op, worker, attempts }) =>
    attempts.flatMap(({ invoked, answered = invoked, outcome }) => {
      const ms = answered - invoked
      const untyped = outcome === undefined || (outcome.kind === 'unknown' && !typedCodes.has(outcome.code))
      if (!untyped && ms <= deadlineMs + slackMs) return []
      return [
        `${op} of ${worker} ended after ${ms} ms with ${outcome === undefined || outcome.kind === 'done' ? 'an answer' : `${outcome.code} ${outcome.reason}`}`,
      ]
    }),
  )
  return wrong.length === 0 ? [] : [violation('bounded-waits', ...wrong.slice(0, 10), `${wrong.length} in all`)]
}
