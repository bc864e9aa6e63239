import { setTimeout as delay } from 'node:timers/promises'
import { clockOffset } from '@gatehouse/testkit'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { startLoad } from '../load.ts'
import type { Random } from '../random.ts'
import type { Replica } from '../replica.ts'
import type { Scenario } from '../scenario.ts'
import { callWeb, type WebAnswer } from '../web-client.ts'

/** One node after the other lives an hour ahead of everybody or behind, while people come and go. */
export const wrongClock: Scenario = {
  name: 'wrong-clock',
  faults: 'one node’s clock an hour off, ahead or behind, of each service in turn',
  promise: 'no mass expiry, no revival of what has ended, ids unique',
  async run(house, { random, effort }) {
    const faultsBefore = house.history.faults.length
    await using load = await startLoad(house, { random, administrators: 2, people: 2, pauseMs: 100 })
    const scene = await openScene(house, random)
    let wrong: Replica | undefined
    while (house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations) {
      const next = random.pick(house.replicas.filter((replica) => replica !== wrong))
      const hours = random.pick([1, -1])
      house.history.fault(`clock of ${next.name} ${hours > 0 ? 'an hour ahead' : 'an hour behind'}`)
      await Promise.all([livingAt(next, hours * hourMs), wrong && livingAt(wrong, 0)])
      wrong = next
      await delay(settlingMs)
      await peopleGoOn(scene)
    }
    if (wrong) await livingAt(wrong, 0)
    await load.stop()
    return [...scene.violations, ...refusedByTime(house), ...(await repeatedIds(house))]
  },
}

const sentences = {
  'no-mass-expiry': 'nothing that is good ends early because one node believes in another time',
  'no-revival': 'nothing that has ended is good again because one node believes in another time',
  'unique-ids': 'no id is given twice',
}
type Rule = keyof typeof sentences

const hourMs = 3_600_000

async function livingAt(replica: Replica, offsetMs: number): Promise<void> {
  replica.extra = offsetMs === 0 ? {} : clockOffset(offsetMs)
  await replica.term()
  await replica.start()
}

interface Person {
  refreshToken: string
  accessToken: string
}

interface Scene {
  readonly house: Constellation
  readonly violations: Violation[]
  readonly random: Random
  /** Signed in all the while. */
  readonly lasting: Person
  readonly signedOut: Person
  /** Whose session was over before the first clock went wrong. */
  readonly overdue: Person
}

async function openScene(house: Constellation, random: Random): Promise<Scene> {
  const made = async (): Promise<Person & { readonly session: string }> => {
    const said = await house.gatehouse('auth', ['dev', 'person', `timed-${random.uuid()}@chaos.example`])
    const { refresh_token, access_token, session_id } = JSON.parse(said) as Record<string, string>
    return { refreshToken: refresh_token ?? '', accessToken: access_token ?? '', session: session_id ?? '' }
  }
  const [lasting, signedOut, overdue] = [await made(), await made(), await made()]
  const scene: Scene = { house, random, violations: [], lasting, signedOut, overdue }
  await insisting(() => call(scene, 'SessionService/SignOut', { refreshToken: signedOut.refreshToken }))
  // Five minutes ago, as far as the database goes: a clock that is an hour behind believes it good for most of an hour.
  await house.sql(`update gatehouse_auth.sessions set idle_expire_time = now() - interval '5 minutes' where id = $1`, [overdue.session])
  return scene
}

function call({ house, random }: Pick<Scene, 'house' | 'random'>, rpc: string, body: object, token?: string): Promise<WebAnswer> {
  const source = `10.88.${random.integer(1, 250)}.${random.integer(1, 250)}`
  return callWeb(house, rpc, body, { source, ...(token !== undefined && { token }) })
}

/** Until somebody answers: peers find a replica that just started within seconds. */
async function insisting(act: () => Promise<WebAnswer>): Promise<WebAnswer> {
  for (const end = performance.now() + 20_000; ; await delay(100)) {
    const answer = await act()
    if (answer.kind !== 'unknown' || performance.now() > end) return answer
  }
}

/** That long a replica that has started may not know its peers, nor they it. */
const settlingMs = 3_000

// Each call has a connection of its own, and those go round the replicas.
const rounds = 2

async function peopleGoOn(scene: Scene): Promise<void> {
  const { lasting, signedOut, overdue } = scene
  const say = (rule: Rule, evidence: string) => scene.violations.push({ rule, sentence: sentences[rule], evidence: [evidence] })
  const { faults } = scene.house.history
  const when = faults.at(-1)?.fault ?? ''
  for (let i = 0; i < rounds; i++) {
    const refreshed = await call(scene, 'SessionService/RefreshSession', { refreshToken: lasting.refreshToken })
    if (refreshed.kind === 'done') {
      lasting.refreshToken = String(refreshed.body.signedIn?.refreshToken)
      lasting.accessToken = String(refreshed.body.signedIn?.accessToken)
    } else say('no-mass-expiry', `${when}: a refresh was answered with ${refreshed.code} ${refreshed.reason}`)
    for (let j = 0; j < rounds; j++) {
      for (const rpc of ['UserService/GetCurrentUser', 'SessionService/ListSessions', 'InboxService/ListInboxItems']) {
        const read = await call(scene, rpc, {}, lasting.accessToken)
        if (read.kind !== 'done') say('no-mass-expiry', `${when}: ${rpc} with a new token was answered with ${read.code} ${read.reason}`)
      }
    }
    for (let j = 0; j < rounds; j++) {
      const read = await insisting(() => call(scene, 'UserService/GetCurrentUser', {}, signedOut.accessToken))
      if (read.kind === 'done') say('no-revival', `${when}: the token of a session that was signed out was good`)
    }
    for (const [what, { refreshToken }] of [
      ['signed out', signedOut],
      ['over for five minutes', overdue],
    ] as const) {
      const again = await insisting(() => call(scene, 'SessionService/RefreshSession', { refreshToken }))
      if (again.kind === 'done') say('no-revival', `${when}: a session that was ${what} was refreshed`)
    }
  }
}

/** Nobody of the load held anything that had expired. Whoever has been suspended is refused for that, and lets a token go. */
function refusedByTime({ history }: Constellation): Violation[] {
  const suspended = new Map<string | number | undefined, number>()
  for (const { op, args, attempts } of history.operations.toReversed())
    if (op === 'suspend-user') suspended.set(args.id, attempts[0]?.invoked ?? 0)
  const refused = history.operations.flatMap(({ op, worker, args, attempts }) =>
    attempts.flatMap(({ invoked, outcome }) =>
      outcome?.kind === 'refused' &&
      (outcome.code === 'unauthenticated' || /EXPIRED/.test(outcome.reason)) &&
      invoked < (suspended.get(args.userId) ?? Number.POSITIVE_INFINITY)
        ? [`${op} of ${worker} was refused: ${outcome.code} ${outcome.reason}`]
        : [],
    ),
  )
  return refused.length === 0 ? [] : [{ rule: 'no-mass-expiry', sentence: sentences['no-mass-expiry'], evidence: refused.slice(0, 10) }]
}

async function repeatedIds(house: Constellation): Promise<Violation[]> {
  const rows = await house.sql<{ id: string; count: number }>(`
    select id, count(*)::integer as count from (
      select id::text from gatehouse_user.users union all select id::text from gatehouse_auth.sessions
      union all select id::text from gatehouse_user.outbox union all select id::text from gatehouse_auth.outbox
      union all select id::text from gatehouse_notification.outbox union all select id::text from gatehouse_notification.deliveries
    ) ids group by id having count(*) > 1`)
  return rows.length === 0
    ? []
    : [{ rule: 'unique-ids', sentence: sentences['unique-ids'], evidence: rows.map(({ id, count }) => `${id} ${count} times`) }]
}
