import { createWorkloadSigner, tenantHeader, workloadHeader } from '@gatehouse/identity'
import type { Child } from './child.ts'
import type { CrowdHome } from './crowd-home.ts'
import type { Series } from './crowd-plans.ts'
import type { House } from './house.ts'
import type { CrowdCalls } from './load/crowd-calls.ts'
import type { GrowthClientActs } from './programs/growth-client.ts'

export const acts = ['GetUser', 'ListUsers, a page of 50 anywhere', 'SearchUsers, the start of a name', 'sign-in'] as const
export type Act = (typeof acts)[number]

const rpcs: Readonly<Record<Exclude<Act, 'sign-in'>, CrowdCalls['rpc']>> = {
  GetUser: 'GetUser',
  'ListUsers, a page of 50 anywhere': 'ListUsers',
  'SearchUsers, the start of a name': 'SearchUsers',
}

/** More calls a second than any of them is served with on one core. */
const mostASecond: Readonly<Record<Act, number>> = {
  GetUser: 20_000,
  'ListUsers, a page of 50 anywhere': 2_000,
  'SearchUsers, the start of a name': 5_000,
  'sign-in': 200,
}

/** Calls one crowd's services, with one kind of keys. */
export interface Caller {
  /** As much as it takes; answers how many a second that is. */
  closed(act: Act, seconds: number): Promise<number>
  /** At fixed times; answers how long each took, in milliseconds. */
  open(act: Act, seconds: number, perSecond: number): Promise<Float64Array>
  emails(count: number): readonly string[]
}

/** What a caller is made of. */
interface Parts {
  readonly house: House
  readonly home: CrowdHome
  readonly client: Child<GrowthClientActs>
  readonly password: string
  readonly series: Series
}

export function callerOf({ house, home, client, password, series }: Parts): Caller {
  const door = { web: home.auth.ports.web, host: new URL(house.local.origin).host, password }
  const signing = createWorkloadSigner(house.local.keyFile('example'))
  const order = async (act: Exclude<Act, 'sign-in'>, seconds: number, perSecond: number) => {
    const identity =
      act === 'GetUser'
        ? ([workloadHeader, await (await signing).tokenFor('user')] as const)
        : (['authorization', `Bearer ${await house.adminToken()}`] as const)
    const rpc = rpcs[act]
    const path = `/gatehouse.user.v1.UserService/${rpc}`
    const calls = series.next(rpc, Math.ceil(perSecond * seconds) + 4)
    return { port: home.user.ports.grpc, path, headers: [identity, [tenantHeader, 'default'] as const], calls, seconds, connections: 4 }
  }
  return {
    async closed(act, seconds) {
      const most = mostASecond[act]
      const { perSecond } =
        act === 'sign-in'
          ? await client.call('signInClosed', { ...door, emails: series.emails(Math.ceil(most * seconds)), seconds, inFlight: 8 })
          : await client.call('closed', { ...(await order(act, seconds, most)), inFlight: 64 })
      return perSecond
    },
    async open(act, seconds, perSecond) {
      const { times } =
        act === 'sign-in'
          ? await client.call('signInOpen', { ...door, emails: series.emails(Math.ceil(perSecond * seconds)), seconds, perSecond })
          : await client.call('open', { ...(await order(act, seconds, perSecond)), perSecond })
      return times
    },
    emails: (count) => series.emails(count),
  }
}
