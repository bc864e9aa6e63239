import { createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { peerTransport } from '@gatehouse/rpc'
import { signInCall } from '../load/sign-in-call.ts'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** Where auth is, who signs in, for how long and how many at once. */
export interface SessionOrder {
  readonly web: number
  readonly grpc: number
  readonly host: string
  readonly emails: readonly string[]
  readonly password: string
  readonly seconds: number
  readonly inFlight: number
}

/** People who sign in and stay. */
export interface SessionClientActs extends CommonActs {
  /** Sign-ins a second over the web door. */
  signIn(order: SessionOrder): Promise<number>
  /** Refreshes a second over gRPC, each session one after the other. */
  refresh(order: SessionOrder): Promise<number>
}

const refreshTokens: string[] = []

answerParent<Omit<SessionClientActs, 'usage'>>({
  signIn: (order) =>
    repeat(order, async (number) => {
      const token = await signInCall(order, order.emails[number % order.emails.length] ?? '', order.password)
      if (refreshTokens.length < order.emails.length) refreshTokens.push(token)
    }),
  async refresh(order) {
    const sessions = createClient(SessionService, peerTransport({ target: 'auth', url: `127.0.0.1:${order.grpc}` }))
    while (refreshTokens.length < order.inFlight)
      refreshTokens.push(await signInCall(order, order.emails[refreshTokens.length] ?? '', order.password))
    return repeat(order, async (_, lane) => {
      const { signedIn } = await sessions.refreshSession({ refreshToken: refreshTokens[lane] ?? '' }, { timeoutMs: 10_000 })
      if (!signedIn || signedIn.accessToken === '' || signedIn.refreshToken === refreshTokens[lane])
        throw new Error('a refresh without new tokens')
      refreshTokens[lane] = signedIn.refreshToken
    })
  },
})

/** Does something again and again in several lanes; answers how often a second it ended in time. */
async function repeat({ seconds, inFlight }: SessionOrder, act: (number: number, lane: number) => Promise<void>): Promise<number> {
  const end = performance.now() + seconds * 1000
  let started = 0
  let ended = 0
  const lane = async (_: unknown, index: number): Promise<void> => {
    while (performance.now() < end) {
      await act(started++, index)
      if (performance.now() <= end) ended++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return ended / seconds
}
