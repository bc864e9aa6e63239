import { startFaultProxy } from '@gatehouse/testkit'
import type { Bench, Benchmark, Finding } from '../benchmark.ts'
import { type Child, cores, startChild } from '../child.ts'
import type { House } from '../house.ts'
import { peopleWithPassword } from '../people.ts'
import type { Ending, RevocationProbeActs } from '../programs/revocation-probe.ts'
import { type Replica, startReplica } from '../replica.ts'
import { signedInPeople } from '../signed-in-people.ts'
import { percentile } from '../statistics.ts'

const replicaCount = 3
const goalMs = 1_000

/** How many tokens are made bad; a step-up costs a password hash each. */
const counts = {
  full: { end: 1_000, restart: 1_000, suspend: 1_000, 'step-up': 200, lanes: 10 },
  quick: { end: 20, restart: 20, suspend: 10, 'step-up': 4, lanes: 10 },
  smoke: { end: 4, restart: 0, suspend: 2, 'step-up': 2, lanes: 4 },
}

interface Scene extends AsyncDisposable {
  readonly child: Child<RevocationProbeActs>
  /** Ends a replica of auth and starts it again. */
  restartAuth(): Promise<void>
}

/** How long somebody goes on who should not. */
export const revocation: Benchmark = {
  name: 'revocation',
  about:
    'from the acknowledged end of a session until its token was let in for the last time, shown every 10 ms to each of three replicas of the user service, which follow two of auth',
  async run(bench) {
    const house = await bench.house()
    await using scene = await openScene(bench, house)
    const count = counts[bench.effort.name]
    const { password, hash } = await peopleWithPassword(house.local)
    const probe = async (ending: Ending, many: number) =>
      await scene.child.call('probe', {
        ending,
        people: await signedInPeople(house.local, many, ending === 'step-up' ? hash : undefined),
        lanes: count.lanes,
        adminToken: await house.adminToken(),
        password,
      })
    const findings: Finding[] = []
    const add = (what: string, { waits, probesPerSecond }: Awaited<ReturnType<typeof probe>>) => {
      const conditions = { revocations: waits.length / replicasOf(bench), 'probes a second, each': probesPerSecond }
      for (const [name, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
        ['p99.9', 0.999],
      ] as const)
        findings.push({
          name: 'revocation',
          what: `${what}, ${name}`,
          figure: { low: Math.min(...waits), median: percentile(waits, share), high: Math.max(...waits) },
          unit: 'ms',
          ...(name === 'p99.9' && { goal: { of: 'figure', most: goalMs } as const }),
          conditions,
        })
    }
    add('a session ends', await probe('end', count.end))
    if (count.restart > 0) {
      const [probed] = await Promise.all([probe('end', count.restart), scene.restartAuth()])
      add('a session ends while a replica of auth is restarted', probed)
    }
    add('SuspendUser', await probe('suspend', count.suspend))
    add('a step-up leaves the old token behind', await probe('step-up', count['step-up']))
    return findings
  },
}

const replicasOf = ({ effort }: Bench) => (effort.name === 'smoke' ? 1 : replicaCount)

/** The smoke measures nothing: it is content with the house's own services. */
async function openScene(bench: Bench, { local }: House): Promise<Scene> {
  await using opening = new AsyncDisposableStack()
  const { user, auth } = local.ports.services
  const own = { host: '127.0.0.1', port: auth.grpc }
  let second: Replica | undefined
  const stopSecond = async () => {
    const ending = second
    second = undefined
    await ending?.[Symbol.asyncDispose]()
  }
  const startSecond = async () => {
    second = await startReplica(local, 'auth', cores.server)
  }
  opening.defer(stopSecond)
  const link = opening.use(
    await startFaultProxy({ targets: () => (second ? [{ host: '127.0.0.1', port: second.ports.grpc }, own] : [own]) }),
  )
  const url = `127.0.0.1:${link.port}`
  let users = [`127.0.0.1:${user.grpc}`]
  if (bench.effort.name !== 'smoke') {
    await startSecond()
    const started = await Promise.all(
      Array.from({ length: replicaCount }, () =>
        startReplica(local, 'user', cores.server, { AUTH_URL: url }).then((it) => opening.use(it)),
      ),
    )
    users = started.map(({ ports }) => `127.0.0.1:${ports.grpc}`)
  }
  const child = opening.use(await startChild<RevocationProbeActs>('revocation-probe', cores.client))
  await child.call('open', { users, auth: url, keyFile: local.keyFile('user') })
  const owned = opening.move()
  return {
    child,
    async restartAuth() {
      await stopSecond()
      await startSecond()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
