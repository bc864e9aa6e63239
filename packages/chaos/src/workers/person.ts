import { createHash } from 'node:crypto'
import { codeFor } from '../code-for.ts'
import { type Outcome, outcomeOf } from '../outcome.ts'
import { callWeb, type Json } from '../web-client.ts'
import { tryingAs, type Worker, type WorkerParts } from './worker.ts'

/** Somebody with an account, in one browser. */
interface Somebody {
  readonly email: string
  readonly userId: string
  /** Nothing while they are signed out. */
  session?: { readonly id: string; readonly refreshToken: string; readonly accessToken: string } | undefined
  /** As far as anybody knows; until a reactivation is answered. */
  suspended?: boolean
}

const password = 'correct horse battery staple!'
// A used-up token is answered with its successor for half a minute; whoever asks longer looks like a thief.
const refreshPatienceMs = 20_000
const enoughAccounts = 2

/**
 * Signs up, proves their mailbox, refreshes, signs out and in again, is suspended and let back by an administrator, and sometimes leaves for good, over
 * the web doors as browsers do. Each has accounts of their own.
 */
export function person(parts: WorkerParts, { signUpPercent = 8 } = {}): Worker {
  const { house, name, random, timeoutMs } = parts
  const trying = tryingAs(parts)
  const accounts: Somebody[] = []
  // As many addresses as people: limits by source are not what is tried here.
  const source = () => `10.${random.integer(1, 250)}.${random.integer(1, 250)}.${random.integer(1, 250)}`

  /** Calls and keeps what the answer said of the session. */
  async function signing(rpc: string, body: object, keep: (somebody: Somebody) => void): Promise<Outcome> {
    const answer = await callWeb(house, rpc, body, { source: source(), timeoutMs })
    if (answer.kind !== 'done') return answer
    const signedIn = answer.body.signedIn as Json
    const session = {
      id: String(signedIn.session?.id),
      refreshToken: String(signedIn.refreshToken),
      accessToken: String(signedIn.accessToken),
    }
    const userId = String(signedIn.user?.id)
    keep({ email: String(signedIn.user?.email), userId, session })
    return { kind: 'done', result: { userId, sessionId: session.id, next: digest(session.refreshToken) } }
  }

  async function signUp(): Promise<void> {
    const email = `${name}-${random.uuid().slice(0, 13)}@chaos.example`
    const requestId = random.uuid()
    let challengeId = ''
    const asked = await trying('sign-up', requestId, { email }, async () => {
      const body = { email, password, name: email, locale: 'en', requestId }
      const answer = await callWeb(house, 'AccountService/SignUp', body, { source: source(), timeoutMs })
      if (answer.kind !== 'done') return answer
      challengeId = answer.body.challengeId ?? ''
      return { kind: 'done', result: { challengeId } }
    })
    if (asked.kind === 'done') await verify(email, challengeId)
  }

  async function verify(email: string, challengeId: string): Promise<void> {
    const code = await codeFor(house.servers.mail, email)
    if (code === undefined) return
    let somebody: Somebody | undefined
    const outcome = await trying('verify-email', challengeId, { email, challengeId }, () =>
      signing('AccountService/VerifyEmail', { challengeId, code }, (it) => {
        somebody = it
      }),
    )
    if (somebody) accounts.push(somebody)
    // The proof may have been used up by a call whose answer got lost: then the password opens the door.
    else if (outcome.kind === 'refused' && outcome.reason === 'CHALLENGE_INVALID') await signIn({ email, userId: '' })
  }

  async function signIn({ email, userId }: Somebody): Promise<void> {
    await trying('sign-in', random.uuid(), { email, userId }, () =>
      signing('SessionService/SignIn', { email, password }, (it) => {
        const known = accounts.find((account) => account.email === it.email)
        if (known) known.session = it.session
        else accounts.push(it)
      }),
    )
  }

  async function refresh(somebody: Somebody): Promise<void> {
    const { session } = somebody
    if (!session) return
    const { refreshToken, id } = session
    const outcome = await trying(
      'refresh',
      digest(refreshToken),
      { sessionId: id, userId: somebody.userId, token: digest(refreshToken) },
      () =>
        signing('SessionService/RefreshSession', { refreshToken }, (it) => {
          somebody.session = it.session
        }),
      { patienceMs: refreshPatienceMs },
    )
    // Left to whatever became of it: what the browser holds is worth nothing any more.
    if (outcome.kind !== 'done') somebody.session = undefined
  }

  async function signOut(somebody: Somebody): Promise<void> {
    const { session } = somebody
    if (!session) return
    somebody.session = undefined
    await trying('sign-out', session.id, { sessionId: session.id }, async () => {
      const answer = await callWeb(house, 'SessionService/SignOut', { refreshToken: session.refreshToken }, { source: source(), timeoutMs })
      return answer.kind === 'done' ? { kind: 'done', result: { sessionId: session.id } } : answer
    })
  }

  /** Leaves for good. */
  async function deleteAccount(somebody: Somebody): Promise<void> {
    const { session, userId } = somebody
    if (!session) return
    accounts.splice(accounts.indexOf(somebody), 1)
    await trying('delete-user', userId, { id: userId }, async () => {
      const answer = await callWeb(
        house,
        'UserService/DeleteUser',
        { id: userId },
        { token: session.accessToken, source: source(), timeoutMs },
      )
      return answer.kind === 'done' ? { kind: 'done', result: { id: userId } } : answer
    })
  }

  async function changeState(somebody: Somebody, op: 'suspend-user' | 'reactivate-user'): Promise<void> {
    const { userId: id } = somebody
    somebody.suspended = true
    const rpc = op === 'suspend-user' ? 'UserService/SuspendUser' : 'UserService/ReactivateUser'
    const outcome = await trying(op, random.uuid(), { id }, async () => {
      try {
        const answer = await callWeb(house, rpc, { id }, { token: await house.adminToken(), source: source(), timeoutMs })
        if (answer.kind !== 'done') return answer
        const { user } = answer.body
        return { kind: 'done', result: { id, version: Number(user?.version), name: String(user?.name) } }
      } catch (error) {
        return outcomeOf(error)
      }
    })
    if (op === 'reactivate-user' && outcome.kind === 'done') somebody.suspended = false
    // Deleted by an operation that was given up.
    if (outcome.kind === 'refused') accounts.splice(accounts.indexOf(somebody), 1)
  }

  /** Who is suspended tries the door that they know, or is let back. */
  async function whileSuspended(somebody: Somebody, draw: number): Promise<void> {
    if (somebody.session && draw <= 50) return refresh(somebody)
    if (!somebody.session && draw <= 25) return signIn(somebody)
    return changeState(somebody, 'reactivate-user')
  }

  return {
    name,
    async step() {
      const draw = random.integer(1, 100)
      const somebody = accounts.length === 0 ? undefined : random.pick(accounts)
      if (!somebody || draw <= (signUpPercent > 0 && accounts.length < enoughAccounts ? 50 : signUpPercent)) return signUp()
      if (somebody.suspended) return whileSuspended(somebody, random.integer(1, 100))
      if (!somebody.session) return signIn(somebody)
      if (draw > 97) return deleteAccount(somebody)
      if (draw > 91) return changeState(somebody, 'suspend-user')
      return draw <= 87 ? refresh(somebody) : signOut(somebody)
    },
  }
}

/** Names a token without telling it. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16)
}
