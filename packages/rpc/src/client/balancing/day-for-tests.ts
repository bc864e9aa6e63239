import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Caller, startReplica } from './cluster-for-tests.ts'
import { startNameServer } from './name-server-for-tests.ts'
import { PlainCaller } from './plain-caller-for-tests.ts'

type Shares = Readonly<Record<string, number>>

/** What was seen while replicas came and went: milliseconds, and numbers of calls by who answered them; by nobody under no name. */
export interface Seen {
  readonly ofThree: Shares
  readonly ofFour: Shares
  /** From the moment at which its name had it. */
  readonly newAfterMs: number
  /** The same of a channel that looks at a name by itself only when a connection ends. */
  readonly newOfPlain: number
  /** Of calls that began a tenth of a second or more after it was killed, its name still having it. */
  readonly afterKill: Shares
  /** From before it was asked to end. */
  readonly whileOneDrains: Shares
  /** How long calls went to a replica that was frozen: its connections stay, and it says nothing. */
  readonly silentForMs: number
  readonly afterSilence: Shares
  /** From the moment at which a name that was not there had its first replica. */
  readonly lateAfterMs: number
}

const [user, auth, late] = ['user', 'auth', 'late'].map((name) => `${name}-headless.gatehouse.svc.cluster.local`) as [
  string,
  string,
  string,
]
const calmMs = 1500
const patienceMs = 40_000

using replicas = new DisposableStack()
await using names = await startNameServer(process.argv[2] ?? '', 53)
const has = (name: string, ...addresses: string[]) => void names.addresses.set(name, addresses)

async function during(act: () => Promise<unknown> = async () => {}, caller = users): Promise<Shares> {
  const from = performance.now()
  await act()
  await delay(calmMs)
  return caller.shares(from, performance.now())
}

/** Milliseconds until a replica answers. */
async function until(caller: Caller, address: string): Promise<number> {
  const from = performance.now()
  for (const end = from + patienceMs; caller.shares(from)[address] === undefined && performance.now() < end; ) await delay(20)
  return performance.now() - from
}

const [one, two, , silent] = await Promise.all(
  ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.2.1', '127.0.2.2'].map((address) => startReplica(address, replicas)),
)
if (!one || !two || !silent) throw new Error('replicas are missing')
has(user, '127.0.1.1', '127.0.1.2', '127.0.1.3')
has(auth, '127.0.2.1', '127.0.2.2')
await using users = new Caller(user)
await using auths = new Caller(auth, { everyMs: 20 })
await using lates = new Caller(late, { everyMs: 50 })
await using plain = new PlainCaller(user)
await Promise.all([until(users, '127.0.1.1'), until(users, '127.0.1.2'), until(users, '127.0.1.3'), until(auths, '127.0.2.1')])

const frozen = performance.now()
silent.kill('SIGSTOP')
const silence = (async () => {
  // As long as any of the calls of a whole second went to it.
  for (const end = frozen + patienceMs; performance.now() < end; await delay(100)) {
    const failed = auths.calls.filter(({ began, by }) => began > frozen && by === undefined).at(-1)
    if (failed && performance.now() - failed.began > 2000) break
  }
  const last = Math.max(...auths.calls.filter(({ by }) => by === undefined).map(({ began }) => began))
  return { silentForMs: last - frozen, afterSilence: await during(undefined, auths) }
})()

const ofThree = await during()
await startReplica('127.0.1.4', replicas)
has(user, '127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4')
has(late, '127.0.1.4')
const [newAfterMs, lateAfterMs] = await Promise.all([until(users, '127.0.1.4'), until(lates, '127.0.1.4')])
const ofFour = await during()
const newOfPlain = plain.answers.filter((by) => by === '127.0.1.4').length

one.kill('SIGKILL')
await delay(100)
const afterKill = await during()
has(user, '127.0.1.2', '127.0.1.3', '127.0.1.4')
const whileOneDrains = await during(async () => {
  two.kill('SIGTERM')
  await once(two, 'disconnect')
  has(user, '127.0.1.3', '127.0.1.4')
})
const seen: Seen = { ofThree, ofFour, newAfterMs, newOfPlain, afterKill, whileOneDrains, lateAfterMs, ...(await silence) }
process.stdout.write(`${JSON.stringify(seen)}\n`)
