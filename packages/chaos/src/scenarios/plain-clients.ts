import { freePorts, restPrefixes, type ServiceName, serviceNames, serviceOfPath, startOrigin } from '@gatehouse/local'
import type { Constellation } from '../constellation.ts'
import { failedCalls } from '../failed-calls.ts'
import { startLoad } from '../load.ts'
import { fetching, keeping } from '../plain-call.ts'
import { restartAll } from '../restart-all.ts'
import type { Scenario } from '../scenario.ts'
import { settle } from '../settle.ts'
import { plainClient } from '../workers/plain-client.ts'
import type { Worker } from '../workers/worker.ts'

const busyMs = 40
/** Longer than idle connections are left open, shorter than a client keeps them. */
const idleMs = 6_000

/** As `rolling-restart`, with clients that know nothing of us: `fetch` through a gateway, and kept connections to a balanced port, no call of which is made twice. */
export const plainClients: Scenario = {
  name: 'plain-clients',
  faults: 'SIGTERM of each replica under load, one after the other, again and again',
  promise:
    'no call of a client without any retry fails: `fetch` over Connect and REST through a gateway that balances requests, and connections that are kept over a port that balances connections',
  async house() {
    const { origin } = await freePorts()
    // Three seconds are the default; `npm start` has none.
    const extra = { PUBLIC_ORIGIN: `http://localhost:${origin}`, DRAIN_IDLE: '3s' }
    return { extra: Object.fromEntries(serviceNames.map((name) => [name, extra])) }
  },
  async run(house, { random, effort, say }) {
    const begun = house.history.operations.length
    await using _gateway = await openGateway(house)
    const prefixes = restPrefixes()
    using kept = keeping((path) => house.links.at(`web→${serviceOfPath(path.split('?', 1)[0] ?? '', prefixes)}`).port, house.host)
    const fetched = fetching(`http://${house.host}`)
    const more: Worker[] = []
    // One after the other: each begins with a command, and many programs that begin at once begin late.
    for (const [kind, call] of Object.entries({ fetching: fetched, keeping: kept }))
      for (const [i, pauseMs] of [busyMs, busyMs, idleMs].entries()) {
        const name = `${kind}-${i}`
        more.push(await plainClient({ house, name, random: random.fork(name), call, pauseMs }))
      }
    await using load = await startLoad(house, { random, more, pauseMs: 0 })
    const rounds = Math.max(1, Math.round(effort.faults / house.replicas.length))
    for (let round = 1; round <= rounds; round++) {
      await restartAll(house, random, effort.name === 'smoke' ? 1 : undefined)
      const failed = failedCalls(house.history.operations.slice(begun)).flatMap(({ evidence }) => evidence)
      if (round % 5 === 0 || failed.length > 0) say(`${round} of ${rounds} rounds, ${load.operations} calls, ${failed.length} failed`)
    }
    await load.stop()
    await settle(house)
    return failedCalls(house.history.operations.slice(begun))
  },
}

/** A gateway as a cluster's: it knows which replicas are ready, and keeps connections to them. */
function openGateway(house: Constellation): Promise<AsyncDisposable> {
  const none = { grpc: 0, web: 0, metrics: 0 }
  return startOrigin({
    port: Number(new URL(`http://${house.host}`).port),
    services: { user: none, auth: none, notification: none },
    doors: (service: ServiceName) => house.of(service).flatMap(({ takesNew, ports }) => (takesNew && ports ? [ports.web] : [])),
    mailbox: { port: 0, messages: [], clear: () => undefined, [Symbol.asyncDispose]: async () => undefined },
    pages: house.folder,
    openapi: '',
  })
}
