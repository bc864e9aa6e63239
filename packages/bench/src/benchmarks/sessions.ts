import { keepAside } from '../aside.ts'
import type { Bench, Benchmark } from '../benchmark.ts'
import { type Child, cores, startChild } from '../child.ts'
import { otherSessions, peopleWithPassword } from '../people.ts'
import type { RawArgon2Acts } from '../programs/raw-argon2.ts'
import type { SessionClientActs, SessionOrder } from '../programs/session-client.ts'
import { measuredReplica, type Replica } from '../replica.ts'
import { alternate } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

interface Scene extends AsyncDisposable {
  readonly auth: Replica
  readonly client: Child<SessionClientActs>
  readonly order: Omit<SessionOrder, 'seconds' | 'inFlight'>
  readonly hash: string
}

/** Sign-ins and refreshes at once: whoever refreshes has signed in before. */
const signingInOf = { full: 16, quick: 16, smoke: 4 }
const refreshingOf = { full: 128, quick: 128, smoke: 8 }

/** How many others are signed in. */
const sessionsOf = { full: 200_000, quick: 4_000, smoke: 500 }

async function openScene(bench: Bench): Promise<Scene> {
  const { local } = await bench.house()
  await using opening = new AsyncDisposableStack()
  opening.use(await keepAside(local))
  const { emails, password, hash } = await peopleWithPassword(local)
  await otherSessions(local, sessionsOf[bench.effort.name])
  const auth = opening.use(await measuredReplica(bench, local, 'auth'))
  const client = opening.use(await startChild<SessionClientActs>('session-client', cores.client))
  const owned = opening.move()
  const order = { web: auth.ports.web, grpc: auth.ports.grpc, host: new URL(local.origin).host, emails, password }
  return { auth, client, order, hash, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Signing in with a password costs its hash and little else. */
export const signIn: Benchmark = {
  name: 'sign-in',
  about: 'sign-in with a password over the web door, one replica of auth on one core, the person asked of the user service',
  async run(bench) {
    await using scene = await openScene(bench)
    await using raw = await startChild<RawArgon2Acts>('raw-argon2', cores.server)
    const { client, order, hash } = scene
    const signingIn = signingInOf[bench.effort.name]
    // A hundred sign-ins a second would take minutes until V8 has compiled what they share with refreshes.
    await client.call('refresh', { ...order, seconds: 2 * bench.effort.warmUpSeconds, inFlight: refreshingOf[bench.effort.name] })
    const results = await alternate(bench.effort, {
      gatehouse: (seconds) => client.call('signIn', { ...order, seconds, inFlight: signingIn }),
      raw: (seconds) => raw.call('run', { hash, password: order.password, seconds }),
    })
    return [
      {
        name: 'sign-in',
        what: 'sign-ins',
        figure: spreadOf(results.gatehouse),
        unit: 'sign-ins/s',
        against: { name: 'raw Argon2id of the same parameters', figure: spreadOf(results.raw) },
        ratio: ratioOf(results.gatehouse, results.raw),
        goal: { of: 'ratio', least: 0.9 },
        conditions: { in_flight: signingIn, argon2id: hash.split('$').slice(2, 4).join(' ') },
      },
    ]
  },
}

/** Staying signed in. */
export const refresh: Benchmark = {
  name: 'refresh',
  about:
    "refreshing a session over gRPC: the token rotated in a transaction, the person's state asked of the user service, a new access token signed",
  async run(bench) {
    await using scene = await openScene(bench)
    const { client, order, auth } = scene
    const refreshing = refreshingOf[bench.effort.name]
    const spent: number[] = []
    const { gatehouse } = await alternate(bench.effort, {
      async gatehouse(seconds: number) {
        const before = await auth.cpuSeconds()
        const perSecond = await client.call('refresh', { ...order, seconds, inFlight: refreshing })
        spent.push(((await auth.cpuSeconds()) - before) / (perSecond * seconds))
        return perSecond
      },
    })
    const cpuMicros = Math.round(spreadOf(spent).median * 1e6)
    return [
      {
        name: 'refresh',
        what: 'refreshes, one replica of auth on one core',
        figure: spreadOf(gatehouse),
        unit: 'refreshes/s',
        against: { name: 'Keycloak, as published for one vCPU', figure: { low: 120, median: 120, high: 120 } },
        goal: { of: 'figure', least: 1200 },
        conditions: { in_flight: refreshing, cpu_micros_a_call: cpuMicros },
      },
    ]
  },
}
