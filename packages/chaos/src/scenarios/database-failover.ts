import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { DatabaseOperator } from '../database-operator.ts'
import type { Databases } from '../databases.ts'
import { type Load, startLoad } from '../load.ts'
import type { Scenario } from '../scenario.ts'
import { within } from '../until.ts'

/** The primary goes, a standby that has all that was acknowledged takes its place, and the old one comes back as its standby. */
export const databaseFailover: Scenario = {
  name: 'database-failover',
  faults:
    'the primary of Postgres parted from its standby and then killed, gone without a word, or switched off under load, its standby promoted; a name that leads to a standby; the old primary back',
  promise:
    'writes resume within fifteen seconds, nothing that was acknowledged is lost, nobody reads from a standby, and an old primary that comes back acknowledges nothing',
  house: { standby: 'synchronous' },
  async run(house, { random, effort, say }) {
    const { databases } = house.servers
    const faultsBefore = house.history.faults.length
    const violations: Violation[] = []
    const all = [killed, gone, switchedOff]
    await using load = await startLoad(house, { random, administrators: 4, people: 2, pauseMs: 20, givesUpPercent: 5 })
    for (let turn = 0; house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations; turn++) {
      // What is in the house before it: of a house that just opened, not much.
      await within(10_000, () => writesSince(house, 0).length > 10 * (turn + 1))
      await house.adminToken()
      const act = all[turn % all.length] ?? killed
      const day: Day = { house, databases, load, say, violations }
      await failover(day, act)
      await comeBack(day)
      if (effort.name !== 'smoke') await misdirected(day, random.integer(300, 1_500))
    }
    await load.stop()
    return violations
  },
}

interface Day {
  readonly house: Constellation
  readonly databases: Databases
  readonly load: Load
  readonly say: (line: string) => void
  readonly violations: Violation[]
}

const sentences = {
  'writes-resume': 'writes are acknowledged again within fifteen seconds, and no call fails later than that',
  'fenced-primary': 'an old primary that comes back acknowledges nothing',
  'typed-failures': 'meanwhile calls end with unavailable, deadline_exceeded or resource_exhausted',
}
const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

const resumeMs = 15_000
const calmMs = 2_500
const typedCodes = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])

/** How the primary goes; answers in words. */
type Act = (day: Day) => Promise<string>

/** Before it goes, the way to its standby is broken for a moment: who acknowledges in that what the standby does not have, loses it. */
async function parted({ house, databases }: Day): Promise<void> {
  house.history.fault(`the primary ${databases.primary.name} is parted from its standby`)
  await databases.part()
  await delay(house.random.integer(300, 900))
}

const killed: Act = async (day) => {
  const { house, databases } = day
  const { primary } = databases
  await parted(day)
  house.history.fault(`kill -9 of the primary ${primary.name}`)
  await primary.kill()
  return 'killed'
}

/** Its machine is gone: connections stay open, and nothing comes over them. */
const gone: Act = async (day) => {
  const { house, databases } = day
  const { primary } = databases
  await parted(day)
  house.history.fault(`the machine of the primary ${primary.name} is gone`)
  await primary.freeze()
  return 'gone without a word'
}

const switchedOff: Act = async ({ house, databases: { primary } }) => {
  house.history.fault(`the primary ${primary.name} is switched off`)
  await primary.stop()
  return 'switched off'
}

async function failover(day: Day, act: Act): Promise<void> {
  const { house, databases, violations, say } = day
  const from = house.history.now()
  const old = databases.primary
  const how = await act(day)
  // What was asked before may have been answered by the old one.
  const isGone = house.history.now()
  {
    // What runs is killed; a machine that is gone stays gone, and the name leads nobody there any more.
    const fence = async () => (how === 'gone without a word' ? undefined : await old.kill())
    await using operator = new DatabaseOperator({ databases, onFault: (fault) => house.history.fault(fault), fence })
    await within(resumeMs, () => operator.failovers > 0)
  }
  const resumed = () => writesSince(house, isGone).find(({ done }) => done)
  await within(2 * resumeMs, () => resumed() !== undefined)
  const resumedMs = (resumed()?.answered ?? Number.POSITIVE_INFINITY) - from
  const lastFailure = () => Math.max(from, ...failuresSince(house, from).map(({ invoked }) => invoked))
  await within(2 * resumeMs, () => house.history.now() - lastFailure() > calmMs)
  const failures = failuresSince(house, from)
  const healedMs = lastFailure() - from
  say(`${old.name} ${how}: first write after ${resumedMs} ms, last call that failed began after ${healedMs} ms, ${failures.length} failed`)
  if (resumedMs > resumeMs || healedMs > resumeMs)
    violations.push(violation('writes-resume', `${old.name} ${how}: first write after ${resumedMs} ms, failures until ${healedMs} ms`))
  const untyped = failures.filter(({ code }) => !typedCodes.has(code))
  if (untyped.length > 0) violations.push(violation('typed-failures', ...untyped.slice(0, 5).map(({ op, code }) => `${op}: ${code}`)))
}

/** The old primary comes back as it was, and knows of nothing; then it is made anew as a standby. */
async function comeBack({ house, databases, violations }: Day): Promise<void> {
  const old = databases.standby
  house.history.fault(`the old primary ${old.name} is back`)
  await old.kill()
  await old.start()
  if (await acknowledges(old.server.url)) violations.push(violation('fenced-primary', `${old.name} acknowledged a commit`))
  await old.kill()
  await databases.pair()
}

/** For a moment the name of the database leads to the standby, and nobody has a connection yet. */
async function misdirected({ house, databases, load }: Day, ms: number): Promise<void> {
  house.history.fault(`the name of the database leads to the standby ${databases.standby.name}`)
  databases.service = databases.standby
  for (const link of house.links.matching(/→postgres$/)) house.links.at(link).cut()
  await delay(ms)
  databases.service = databases.primary
  const before = load.operations
  await within(10_000, () => load.operations > before + 10)
}

/** Whether it answers a commit, as whoever still had a way to it would see. */
async function acknowledges(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  const commit = client.query("select pg_logical_emit_message(true, 'gatehouse', 'from the old world')").then(
    () => true,
    () => false,
  )
  const answered = await Promise.race([commit, delay(2_000, false)])
  client.connection.stream.destroy()
  return answered
}

const writes = new Set(['create-user', 'update-user', 'suspend-user', 'reactivate-user', 'delete-user'])

/** Calls that write and began since then. */
function writesSince(house: Constellation, from: number): { answered: number; done: boolean }[] {
  return house.history.operations.flatMap(({ op, attempts }) =>
    writes.has(op)
      ? attempts
          .filter(({ invoked, outcome }) => invoked >= from && outcome !== undefined)
          .map(({ answered = 0, outcome }) => ({ answered, done: outcome?.kind === 'done' }))
      : [],
  )
}

function failuresSince(house: Constellation, from: number): { op: string; invoked: number; code: string }[] {
  return house.history.operations.flatMap(({ op, attempts }) =>
    attempts.flatMap(({ invoked, outcome }) =>
      invoked >= from && outcome?.kind === 'unknown' ? [{ op, invoked, code: outcome.code }] : [],
    ),
  )
}
