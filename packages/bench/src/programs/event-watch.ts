import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from '@connectrpc/connect'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { connectNats, subscribe } from '@gatehouse/events'
import { peerTransport } from '@gatehouse/rpc'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** What is to be changed, how often and for how long. */
export interface ChangeOrder {
  readonly token: string
  readonly ids: readonly string[]
  readonly perSecond: number
  readonly count: number
}

/** Milliseconds of each change until its event came: since the call was made, and since its answer was there. The commit lies between the two. */
export interface ChangeTimes {
  readonly sinceCall: Float64Array
  readonly sinceAnswer: Float64Array
}

/** Another team's program that changes people over gRPC and is told about it over NATS. */
export interface EventWatchActs extends CommonActs {
  open(at: { readonly natsUrl: string; readonly userUrl: string }): Promise<void>
  change(order: ChangeOrder): Promise<ChangeTimes>
}

const boundMs = 30_000
const told = new Map<string, number>()
let users: Client<typeof UserService> | undefined
let changes = 0

answerParent<Omit<EventWatchActs, 'usage'>>({
  async open({ natsUrl, userUrl }) {
    const nats = connectNats({ url: natsUrl, name: 'bench' })
    await nats.connected(AbortSignal.timeout(boundMs))
    users = createClient(UserService, peerTransport({ target: 'user', url: userUrl }))
    subscribe({
      nats,
      name: 'bench',
      events: [UserUpdatedSchema],
      concurrency: 64,
      onEvent: (event) => void told.set(`${event.userId} ${event.version}`, performance.now()),
    })
  },
  async change({ token, ids, perSecond, count }) {
    const began = performance.now()
    const pending: Promise<readonly [number, number]>[] = []
    for (let number = 0; number < count; number++) {
      const due = began + (number * 1000) / perSecond
      if (due > performance.now()) await delay(due - performance.now())
      pending.push(changeOne(token, ids[number % ids.length] ?? ''))
    }
    const times = await Promise.all(pending)
    return { sinceCall: Float64Array.from(times, ([call]) => call), sinceAnswer: Float64Array.from(times, ([, answer]) => answer) }
  },
})

async function changeOne(token: string, id: string): Promise<readonly [number, number]> {
  const called = performance.now()
  const { user } = (await users?.updateUser({ id, name: `Person ${++changes}` }, { headers: { authorization: `Bearer ${token}` } })) ?? {}
  const answered = performance.now()
  if (user?.id !== id) throw new Error('UpdateUser answered somebody else')
  const key = `${id} ${user.version}`
  while (!told.has(key)) {
    if (performance.now() - answered > boundMs) throw new Error(`nobody told of ${key} within ${boundMs} ms`)
    await delay(2)
  }
  const heard = told.get(key) ?? Number.NaN
  told.delete(key)
  return [heard - called, heard - answered]
}
