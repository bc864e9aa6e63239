import { setTimeout as delay } from 'node:timers/promises'
import { connectGatehouse } from '@gatehouse/client'
import type { Constellation } from './constellation.ts'
import type { Random } from './random.ts'
import { administrator } from './workers/administrator.ts'
import { person } from './workers/person.ts'
import type { Worker } from './workers/worker.ts'

export interface LoadOptions {
  readonly random: Random
  /** Workers of each kind. */
  readonly administrators?: number
  readonly people?: number
  /** So many operations, shared by all workers; without a number until it is stopped. */
  readonly operations?: number
  /** What each worker waits between two operations, about. */
  readonly pauseMs?: number
  /** People who do little else than refresh their session. */
  readonly refreshers?: number
  /** How long a call may take. Default 5 s. */
  readonly timeoutMs?: number
  /** In so many of a hundred operations an unknown answer is not asked for again. Default 15. */
  readonly givesUpPercent?: number
  readonly more?: readonly Worker[]
}

/** Workers at work. */
export interface Load extends AsyncDisposable {
  /** Operations that have ended. */
  readonly operations: number
  /** Settles when all operations are done. Rejects when a worker is broken. */
  readonly done: Promise<void>
  /** Lets everybody finish what they are at. */
  stop(): Promise<void>
}

/** Starts workers who do one operation after the other, through the doors. */
export async function startLoad(house: Constellation, options: LoadOptions): Promise<Load> {
  const {
    random,
    administrators = 0,
    people = 0,
    refreshers = 0,
    pauseMs = 10,
    timeoutMs = 5_000,
    givesUpPercent = 15,
    more = [],
  } = options
  await using opening = new AsyncDisposableStack()
  const urls = { origin: `http://127.0.0.1:${house.links.at('web→auth').port}`, userUrl: house.links.urlOf('client', 'user') }
  // People decide for themselves; a workload's key beside their token would have to be allowed everything that they are.
  const { users } = opening.use(await connectGatehouse(urls))
  const workload = { notificationUrl: house.links.urlOf('client', 'notification'), workloadKeyFile: house.keyFile('example') }
  const { notifications, about } = opening.use(await connectGatehouse({ ...urls, ...workload }))
  const partsOf = (name: string) => ({ house, name, random: random.fork(name), givesUpPercent, timeoutMs })
  const workers = [
    ...Array.from({ length: administrators }, (_, i) => administrator(partsOf(`administrator-${i}`), { users, notifications, about })),
    ...Array.from({ length: people }, (_, i) => person(partsOf(`person-${i}`))),
    ...Array.from({ length: refreshers }, (_, i) => person(partsOf(`refresher-${i}`), { signUpPercent: 0 })),
    ...more,
  ]
  let stopped = false
  let operations = 0
  let left = options.operations ?? Number.POSITIVE_INFINITY
  const work = async (worker: Worker): Promise<void> => {
    const pauses = random.fork(`${worker.name} pauses`)
    while (!stopped && left-- > 0) {
      await worker.step()
      operations++
      await delay(pauses.integer(0, 2 * pauseMs))
    }
  }
  const done = Promise.all(workers.map(work)).then(() => undefined)
  done.catch(() => undefined)
  const owned = opening.move()
  return {
    get operations() {
      return operations
    },
    done,
    async stop() {
      stopped = true
      await done
    },
    async [Symbol.asyncDispose]() {
      stopped = true
      await done.catch(() => undefined)
      await owned.disposeAsync()
    },
  }
}
