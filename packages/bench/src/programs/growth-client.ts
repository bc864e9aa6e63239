import type { LoadOrder, LoadResult } from '../load/closed-loop.ts'
import { Tally } from '../load/closed-loop.ts'
import { type CrowdCalls, plansOf } from '../load/crowd-calls.ts'
import { GrpcConnection } from '../load/grpc-connection.ts'
import { atRate, type OpenResult, OpenTally } from '../load/open-loop.ts'
import { type SignInDoor, signInCall } from '../load/sign-in-call.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Where the calls go, and whom they are about. */
export interface CrowdOrder extends Omit<LoadOrder, 'inFlight' | 'calls'> {
  readonly calls: CrowdCalls
}

/** People who sign in at fixed times, or (without a rate) so many at once. */
export interface SignInOrder extends SignInDoor {
  readonly emails: readonly string[]
  readonly password: string
  readonly seconds: number
  readonly perSecond: number
}

/** Clients who do not wait for each other. */
export interface GrowthClientActs extends CommonActs {
  /** As many calls as the server takes. */
  closed(order: CrowdOrder & { readonly inFlight: number }): Promise<LoadResult>
  /** Calls that begin at fixed times. */
  open(order: CrowdOrder & { readonly perSecond: number }): Promise<OpenResult>
  signInClosed(order: Omit<SignInOrder, 'perSecond'> & { readonly inFlight: number }): Promise<LoadResult>
  signInOpen(order: SignInOrder): Promise<OpenResult>
}

answerParent<Omit<GrowthClientActs, 'usage'>>({
  async closed({ port, path, headers, calls, seconds, inFlight, connections }) {
    const tally = new Tally(seconds)
    const plans = plansOf(calls)
    const each = Math.ceil(inFlight / connections)
    await Promise.all(
      Array.from({ length: connections }, (_, number) =>
        new GrpcConnection(port, path, headers, plans, startOf(number, connections, plans.length), tally).run(each),
      ),
    )
    return tally.result()
  },
  async open({ port, path, headers, calls, seconds, connections, perSecond }) {
    const tally = new OpenTally()
    const plans = plansOf(calls)
    const all = Array.from(
      { length: connections },
      (_, number) => new GrpcConnection(port, path, headers, plans, startOf(number, connections, plans.length), tally),
    )
    await atRate(
      { perSecond, seconds },
      (call, intended) => all[call % connections]?.begin(intended),
      () => {
        for (const connection of all) connection.flush()
      },
    )
    await Promise.all(all.map((connection) => connection.finish()))
    return tally.result()
  },
  async signInClosed({ emails, password, seconds, inFlight, ...door }) {
    const tally = new Tally(seconds)
    let next = 0
    const lane = async (): Promise<void> => {
      while (tally.goesOn) {
        const began = performance.now()
        await signInCall(door, emails[next++ % emails.length] ?? '', password)
        tally.right(began)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
    return tally.result()
  },
  async signInOpen({ emails, password, seconds, perSecond, ...door }) {
    const tally = new OpenTally()
    const calls: Promise<void>[] = []
    await atRate({ perSecond, seconds }, (call, intended) => {
      const answered = signInCall(door, emails[call % emails.length] ?? '', password).then(() => tally.right(intended))
      answered.catch(() => undefined)
      calls.push(answered)
    })
    await Promise.all(calls)
    return tally.result()
  },
})

/** Connections begin at different calls, so that they do not ask for the same thing at the same time. */
function startOf(number: number, connections: number, calls: number): number {
  return Math.floor((number * calls) / connections)
}
