import { answerParent, type CommonActs } from './answer-parent.ts'
import { type JsonAnswer, postJson } from './post-json.ts'

/** Whose accounts, where they are, who signs in, for how long and how many at once. */
export interface AccountOrder {
  readonly system: 'gatehouse' | 'better-auth'
  readonly port: number
  /** What browsers call the place. */
  readonly origin: string
  readonly emails: readonly string[]
  readonly password: string
  readonly seconds: number
  readonly inFlight: number
}

/** How many came through, and how many a second. */
export interface AccountResult {
  readonly count: number
  readonly perSecond: number
}

/** People who come to two systems by the same doors: JSON over HTTP, an address and a password. */
export interface AccountClientActs extends CommonActs {
  signIn(order: AccountOrder): Promise<AccountResult>
  signUp(order: AccountOrder): Promise<AccountResult>
}

answerParent<Omit<AccountClientActs, 'usage'>>({
  signIn: (order) => repeat(order, (number) => signIn(order, order.emails[number % order.emails.length] ?? '')),
  signUp: (order) => repeat(order, () => signUp(order, `${crypto.randomUUID()}@bench.example`)),
})

/**
 * Does something again and again in several lanes. The rate is that of everything that was begun, until the last has ended: a core is as busy then, and
 * a hash that takes a tenth of a turn is not lost at its end.
 */
async function repeat({ seconds, inFlight }: AccountOrder, act: (number: number) => Promise<void>): Promise<AccountResult> {
  const began = performance.now()
  let count = 0
  const lane = async (): Promise<void> => {
    while (performance.now() < began + seconds * 1000) await act(count++)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { count, perSecond: (count / (performance.now() - began)) * 1000 }
}

async function signIn(order: AccountOrder, email: string): Promise<void> {
  const { password, system } = order
  if (system === 'gatehouse') {
    const answer = await post(order, '/gatehouse.auth.v1.SessionService/SignIn', { email, password })
    const { signedIn } = answer.body as { signedIn?: { accessToken?: string; refreshToken?: string; user?: { email?: string } } }
    expect(signedIn?.user?.email === email && Boolean(signedIn.accessToken && signedIn.refreshToken), answer)
  } else {
    const answer = await post(order, '/api/auth/sign-in/email', { email, password })
    const { token, user } = answer.body as { token?: string; user?: { email?: string } }
    expect(user?.email === email && Boolean(token) && hasSession(answer), answer)
  }
}

async function signUp(order: AccountOrder, email: string): Promise<void> {
  const request = { email, password: `a sentence of ${crypto.randomUUID()}`, name: 'Somebody New' }
  if (order.system === 'gatehouse') {
    const more = { locale: 'en', requestId: crypto.randomUUID() }
    const answer = await post(order, '/gatehouse.auth.v1.AccountService/SignUp', { ...request, ...more })
    expect(Boolean((answer.body as { challengeId?: string }).challengeId), answer)
  } else {
    const answer = await post(order, '/api/auth/sign-up/email', request)
    expect((answer.body as { user?: { email?: string } }).user?.email === email && hasSession(answer), answer)
  }
}

const network = Math.floor(Math.random() * 128) + 64
let source = 0

/** As from somewhere else each time, because a source has a limit. */
function post({ port, origin }: AccountOrder, path: string, body: object): Promise<JsonAnswer> {
  const from = `${network}.${(++source >> 16) & 255}.${(source >> 8) & 255}.${source & 255}`
  return postJson(port, path, { host: new URL(origin).host, origin, 'x-forwarded-for': from }, body)
}

function hasSession({ headers }: JsonAnswer): boolean {
  return headers['set-cookie']?.some((cookie) => cookie.includes('session_token=')) === true
}

function expect(isRight: boolean, { status, text }: JsonAnswer): void {
  if (status !== 200 || !isRight) throw new Error(`answered ${status} ${text}`)
}
