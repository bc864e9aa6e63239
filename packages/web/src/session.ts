import { type Client, Code, ConnectError } from '@connectrpc/connect'
import type { FactorProof, NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'

/** Where the browser stands. `unknown` until the first answer came. */
export type SessionState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'signed_out' }
  | {
      readonly kind: 'signed_in'
      readonly user: User
      readonly sessionId: string
      readonly accessToken: string
      readonly expireTime: number
    }

/** A browser's session: the access token lives in memory, the refresh token in a cookie that no script can read. */
export interface BrowserSession {
  readonly state: SessionState
  /** Calls back after each change; answers how to stop that. */
  subscribe(listener: () => void): () => void
  /** Settles when the state is no longer `unknown`. */
  readonly known: Promise<void>
  /** A token that is good for ten seconds more, refreshed before if need be; nothing where nobody is signed in. */
  accessToken(): Promise<string | undefined>
  /** A new token because the server refused the present one. */
  renew(): Promise<string | undefined>
  /** Takes over what a call that signs in answered. */
  adopt(result: SignedInResult): void
  /** The person changed. */
  update(user: User): void
  /**
   * Shows a factor of a step-up that `beginStepUp` began; answers the next step where one is needed. No tab refreshes meanwhile: the refresh token of before
   * dies with it.
   */
  stepUp(continuation: string, proof: FactorProof['proof']): Promise<NextStep | undefined>
  signOut(): Promise<void>
  /** Has the other tabs look whether the session is still there: a page that is no script's may have ended it. */
  changedElsewhere(): void
  /** Stops refreshing; the session itself goes on. */
  close(): void
}

const hint = 'gatehouse.signed-in'
const lock = 'gatehouse.session'

/** Follows the session of this browser; tabs take turns and tell each other. */
export function followSession(
  sessions: Pick<Client<typeof SessionService>, 'refreshSession' | 'completeStepUp' | 'signOut'>,
): BrowserSession {
  let state: SessionState = { kind: 'unknown' }
  const listeners = new Set<() => void>()
  const { promise: known, resolve: beKnown } = Promise.withResolvers<void>()
  const channel = new BroadcastChannel(lock)
  let timer: ReturnType<typeof setTimeout> | undefined
  let renewing: Promise<void> | undefined
  let closed = false

  function become(next: SessionState): void {
    state = next
    clearTimeout(timer)
    if (next.kind === 'signed_in') {
      remember(true)
      // Fresh long before it ends, and not in the same second in every tab.
      if (!closed) timer = setTimeout(() => void renewOnce(), Math.max(1_000, (next.expireTime - Date.now()) * (0.7 + Math.random() * 0.1)))
    } else if (next.kind === 'signed_out') remember(false)
    if (next.kind !== 'unknown') beKnown()
    for (const listener of listeners) listener()
  }

  function adopt(result: SignedInResult): void {
    become(stateOf(result))
    channel.postMessage('signed_in')
  }

  async function refresh(): Promise<void> {
    try {
      const { signedIn } = await sessions.refreshSession({})
      if (signedIn) become(stateOf(signedIn))
    } catch (error) {
      const { code } = ConnectError.from(error)
      // The session is over only when the server says so; a lost network or a service that is away says nothing about it.
      if (code === Code.Unauthenticated || code === Code.PermissionDenied) {
        become({ kind: 'signed_out' })
        return channel.postMessage('signed_out')
      }
      beKnown()
      if (!closed) timer = setTimeout(() => void renewOnce(), 2_000 + Math.random() * 3_000)
    }
  }

  function renewOnce(): Promise<void> {
    renewing ??= navigator.locks.request(lock, refresh).finally(() => {
      renewing = undefined
    })
    return renewing
  }

  channel.onmessage = ({ data }) => {
    if (data === 'signed_out' && state.kind !== 'signed_out') become({ kind: 'signed_out' })
    if (data === 'signed_in' && state.kind !== 'signed_in') void renewOnce()
    if (data === 'look' && state.kind === 'signed_in') void renewOnce()
  }
  if (remembered()) void renewOnce()
  else become({ kind: 'signed_out' })

  return {
    get state() {
      return state
    },
    known,
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async accessToken() {
      if (state.kind === 'unknown') await known
      if (state.kind === 'signed_in' && state.expireTime - Date.now() < 10_000) await renewOnce()
      return state.kind === 'signed_in' ? state.accessToken : undefined
    },
    async renew() {
      await renewOnce()
      return state.kind === 'signed_in' ? state.accessToken : undefined
    },
    adopt,
    update(user) {
      if (state.kind === 'signed_in') become({ ...state, user })
    },
    async stepUp(continuation, proof) {
      // Whoever waits for the lock below cannot renew: have a token that lasts.
      if (state.kind === 'signed_in' && state.expireTime - Date.now() < 60_000) await renewOnce()
      return await navigator.locks.request(lock, async () => {
        if (state.kind !== 'signed_in') throw new TypeError('Nobody is signed in')
        const headers = { authorization: `Bearer ${state.accessToken}` }
        const { result } = await sessions.completeStepUp({ continuation, proof: { proof }, useCookie: true }, { headers })
        if (result.case === 'signedIn') adopt(result.value)
        return result.case === 'nextStep' ? result.value : undefined
      })
    },
    async signOut() {
      await navigator.locks.request(lock, () => sessions.signOut({}))
      become({ kind: 'signed_out' })
      channel.postMessage('signed_out')
    },
    changedElsewhere() {
      channel.postMessage('look')
    },
    close() {
      closed = true
      clearTimeout(timer)
      channel.close()
    },
  }
}

function stateOf({ user, session, accessToken, accessTokenExpireTime }: SignedInResult): SessionState {
  if (!user || !session || !accessTokenExpireTime) throw new TypeError('The answer that signs in is not complete')
  return { kind: 'signed_in', user, sessionId: session.id, accessToken, expireTime: Number(accessTokenExpireTime.seconds) * 1000 }
}

// Says only that somebody signed in here, so that strangers' pages ask nothing. It is no credential.
function remember(signedIn: boolean): void {
  try {
    if (signedIn) localStorage.setItem(hint, '1')
    else localStorage.removeItem(hint)
  } catch {}
}

function remembered(): boolean {
  try {
    return localStorage.getItem(hint) !== null
  } catch {
    return true
  }
}
