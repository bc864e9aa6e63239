import type { Violation } from '../checker/evidence.ts'
import type { Operation } from '../history.ts'
import { startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'
import { gatehouseUrl } from '../servers.ts'

/** Behind a pooler, in a database whose every transaction may be refused for a conflict, as one of many machines would have it. */
export const conflicts: Scenario = {
  name: 'conflicts',
  faults:
    'Postgres behind PgBouncer in transaction mode, every transaction serializable, and one in 25 of the statements that write and one in 50 of the rows at commit refused with 40001 or 40P01',
  promise:
    'each transaction is tried again or ends with a typed unavailable, nothing is half written or done twice, and no statement leans on a session: no LISTEN, no advisory lock, no SET',
  house: { throughPooler: true },
  async run(house, { random, effort, say }) {
    const { pooled, databases } = house.servers
    if (!pooled) throw new TypeError('this day needs a house with a pooler')
    const from = house.history.operations.length
    const before = pooled.conflicts.counts
    {
      await using _forced = await pooled.conflicts.force(gatehouseUrl(databases.primary.server.url))
      await using load = await startLoad(house, {
        random,
        administrators: 3,
        people: 2,
        refreshers: 1,
        pauseMs: 10,
        operations: effort.operations,
      })
      await load.done
    }
    const { found, atStatements, atCommits } = pooled.conflicts.counts
    const { statements, offences } = pooled.statements
    const refused = atStatements + atCommits + found - (before.atStatements + before.atCommits + before.found)
    for (let each = 0; each < refused; each++) house.history.fault('a transaction refused for a conflict')
    say(
      `PgBouncer ${pooled.pooler.version}: ${found} conflicts found, ${atStatements} raised at statements, ${atCommits} at commits; ${statements} statements read, ${offences.length} not portable`,
    )
    const nothing = Object.entries({ atStatements, atCommits, statements }).filter(([, count]) => count === 0)
    return [
      ...nothing.map(([what]) => violation('conflicts-happen', `none of ${what}`)),
      ...(offences.length > 0 ? [violation('portable-statements', ...offences)] : []),
      ...typed(house.history.operations.slice(from)),
    ]
  },
}

const sentences = {
  'conflicts-happen': 'the day is a bad one: transactions are refused at statements and at commits',
  'portable-statements': 'no statement that a service sends leans on a session or an advisory lock',
  'typed-conflicts': 'whoever is not served after all tries is told unavailable, deadline_exceeded or resource_exhausted',
}

const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

const typedCodes = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])

function typed(operations: readonly Operation[]): readonly Violation[] {
  const evidence = operations.flatMap(({ op, id, attempts }) =>
    attempts.flatMap(({ outcome }) =>
      outcome?.kind === 'unknown' && !typedCodes.has(outcome.code) ? [`${op} ${id}: ${outcome.code} ${outcome.reason}`] : [],
    ),
  )
  return evidence.length > 0 ? [violation('typed-conflicts', ...evidence.slice(0, 10))] : []
}
