import { setTimeout as delay } from 'node:timers/promises'
import { keepAside } from '../aside.ts'
import type { Bench, Benchmark, Effort, Finding } from '../benchmark.ts'
import { type PeopledBetterAuth, peopledBetterAuth } from '../better-auth.ts'
import { type Child, cores, startChild } from '../child.ts'
import { benchToken, echoJsonCalls } from '../echo-calls.ts'
import { echoPath } from '../echo-contract.ts'
import type { House } from '../house.ts'
import { peopleWithPassword } from '../people.ts'
import type { AccountClientActs, AccountOrder } from '../programs/account-client.ts'
import type { EchoGatehouseActs } from '../programs/echo-gatehouse.ts'
import { measuredReplica } from '../replica.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { cpuOf, type Turn } from '../turn.ts'
import { processorOf, race } from './race.ts'

const connections = 64
const mailBoundMs = 60_000

/** Accounts as a library in one's own server gives them. */
export const betterAuth: Benchmark = {
  name: 'better-auth',
  about:
    'sign-in and sign-up with a password, and whose session a request is, beside the library better-auth in a bare node:http server: one core each, the same Postgres server, once with its own hash (scrypt) and once with ours',
  async run(bench) {
    const house = await bench.house()
    const { local } = house
    await using _ = await keepAside(local)
    await using stack = new AsyncDisposableStack()
    const [defaults, equal] = await Promise.all(
      (['its defaults', 'equal hash cost'] as const).map(async (hashing) =>
        stack.use(await peopledBetterAuth(local.postgresUrl, local.origin, hashing)),
      ),
    )
    if (!defaults || !equal) throw new Error('better-auth did not start')
    return [...(await accounts(bench, house, { defaults, equal })), await sessionCheck(bench, local.origin, equal)]
  },
}

/** Hashes are slow whoever computes them, so that a turn needs less warming and a quick one fewer rounds. */
function effortOf({ effort }: Bench): Effort {
  return { ...effort, rounds: Math.ceil(effort.rounds / 2), warmUpSeconds: effort.warmUpSeconds / 4 }
}

async function accounts(bench: Bench, house: House, theirs: Record<'defaults' | 'equal', PeopledBetterAuth>): Promise<readonly Finding[]> {
  const { local } = house
  const { emails, password, hash } = await peopleWithPassword(local)
  await using auth = await measuredReplica(bench, local, 'auth')
  await using client: Child<AccountClientActs> = await startChild<AccountClientActs>('account-client', cores.client)
  // A turn ends with the last of them: eight of their scrypt are nearly a second.
  const inFlight = { full: 16, quick: 4, smoke: 2 }[bench.effort.name]
  const ours = { system: 'gatehouse', port: auth.ports.web, origin: local.origin, emails, password, inFlight } as const
  const order = (it: PeopledBetterAuth) =>
    ({ ...ours, system: 'better-auth', port: it.port, emails: it.emails, password: it.password }) as const
  const findings: Finding[] = []
  let signUps = 0
  for (const act of ['signIn', 'signUp'] as const) {
    const turn = (of: Omit<AccountOrder, 'seconds'>, cpuSeconds: () => Promise<number>) => async (seconds: number) => {
      const spent = await cpuSeconds()
      const { count, perSecond } = await client.call(act, { ...of, seconds })
      const cpuMs = (((await cpuSeconds()) - spent) / count) * 1000
      if (act === 'signUp' && of.system === 'gatehouse') signUps += count
      return { perSecond, cpuMs }
    }
    await using _ = act === 'signUp' && bench.effort.name !== 'smoke' ? await mailsWait(house, () => signUps) : undefined
    const results = await alternate(effortOf(bench), {
      gatehouse: turn(ours, auth.cpuSeconds),
      defaults: turn(order(theirs.defaults), cpuOf(theirs.defaults.child)),
      equal: turn(order(theirs.equal), cpuOf(theirs.equal.child)),
    })
    for (const [name, turns] of Object.entries(results)) bench.say(`  ${act}, ${name}: ${said(turns)}`)
    const row = (peer: string, turns: readonly AccountTurn[], least: number): Finding => ({
      name: 'better-auth',
      what: act === 'signIn' ? 'sign-in with a password' : 'sign-up',
      figure: spreadOf(rates(results.gatehouse)),
      unit: act === 'signIn' ? 'sign-ins/s' : 'sign-ups/s',
      against: { name: peer, figure: spreadOf(rates(turns)) },
      ratio: ratioOf(rates(results.gatehouse), rates(turns)),
      goal: { of: 'ratio', least },
      conditions: {
        in_flight: inFlight,
        argon2id: hash.split('$').slice(2, 4).join(' '),
        cpu_ms_a_call: processorMs(results.gatehouse),
        peer_cpu_ms_a_call: processorMs(turns),
      },
    })
    findings.push(row('better-auth, its defaults', results.defaults, 5), row('better-auth, equal hash cost', results.equal, 1))
  }
  return findings
}

/** One turn, and what the server spent on each of its sign-ins or sign-ups. */
interface AccountTurn {
  readonly perSecond: number
  readonly cpuMs: number
}

const rates = (turns: readonly AccountTurn[]) => turns.map(({ perSecond }) => perSecond)
const processorMs = (turns: readonly AccountTurn[]) => Number(spreadOf(turns.map(({ cpuMs }) => cpuMs)).median.toPrecision(3))
const said = (turns: readonly AccountTurn[]) => `${spreadOf(rates(turns)).median.toFixed(1)}/s, ${processorMs(turns)} ms of processor each`

function mailCount({ local }: House): number {
  return Number(local.mailbox.messages[0]?.id ?? 0)
}

/** Their sign-up sends no mail. Ours does when its answer is long gone, and would load the machine in everybody's turns: they leave when this is disposed. */
async function mailsWait(house: House, count: () => number): Promise<AsyncDisposable> {
  const before = mailCount(house)
  await house.local.stopService('notification')
  return {
    async [Symbol.asyncDispose]() {
      await house.local.startService('notification')
      for (const began = performance.now(); mailCount(house) < before + count(); await delay(10)) {
        if (performance.now() - began > mailBoundMs) throw new Error(`of ${count()} mails ${mailCount(house) - before} left`)
      }
    },
  }
}

async function sessionCheck(bench: Bench, origin: string, theirs: PeopledBetterAuth): Promise<Finding> {
  const { token, issuer } = await benchToken()
  await using ours = await startChild<EchoGatehouseActs>('echo-gatehouse', cores.server)
  const { web } = await ours.call('listen', { issuer })
  const host = ['host', new URL(origin).host] as const
  const results = await race(bench, {
    gatehouse: {
      protocol: 'http',
      order: async () => ({
        port: web,
        path: echoPath,
        headers: [
          ['host', 'localhost:8080'],
          ['content-type', 'application/json'],
          ['authorization', `Bearer ${token}`],
        ],
        calls: echoJsonCalls,
        inFlight: connections,
        connections,
      }),
      cpuSeconds: cpuOf(ours),
    },
    'better-auth': {
      protocol: 'http',
      order: async () => ({
        port: theirs.port,
        method: 'GET',
        path: '/api/auth/get-session',
        headers: [host, ['cookie', theirs.session.cookie]],
        calls: [{ request: Buffer.alloc(0), answer: theirs.session.answer }],
        inFlight: connections,
        connections,
      }),
      cpuSeconds: cpuOf(theirs.child),
    },
  })
  const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond)
  return {
    name: 'better-auth',
    what: 'session check (ours: a signed-in echo, without the database)',
    figure: spreadOf(perSecond(results.gatehouse)),
    unit: 'calls/s',
    against: { name: 'better-auth, get-session', figure: spreadOf(perSecond(results['better-auth'])) },
    ratio: ratioOf(perSecond(results.gatehouse), perSecond(results['better-auth'])),
    goal: { of: 'ratio', least: 10 },
    conditions: { connections, token_bytes: token.length, ...processorOf(results.gatehouse, results['better-auth']) },
  }
}
