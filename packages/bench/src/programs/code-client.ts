import { createHash, randomBytes } from 'node:crypto'
import { answerParent, type CommonActs } from './answer-parent.ts'
import { sendForm } from './send-form.ts'

/** A client of OpenID Connect, and browsers in which people are signed in. */
export interface CodeOrder {
  readonly web: number
  readonly host: string
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUri: string }
  /** The cookie of each browser. */
  readonly cookies: readonly string[]
  readonly seconds: number
  readonly inFlight: number
}

export interface CodeClientActs extends CommonActs {
  /** How many codes a second are asked for, given and redeemed. */
  run(order: CodeOrder): Promise<number>
}

const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')

answerParent<Omit<CodeClientActs, 'usage'>>({
  async run(order) {
    const end = performance.now() + order.seconds * 1000
    let started = 0
    let ended = 0
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        await redeemOne(order, started++)
        if (performance.now() <= end) ended++
      }
    }
    await Promise.all(Array.from({ length: order.inFlight }, lane))
    return ended / order.seconds
  },
})

async function redeemOne({ web, host, client, cookies }: CodeOrder, number: number): Promise<void> {
  const state = String(number)
  const asked = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: 'openid email',
    state,
    nonce: state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
  // Browsers are everywhere; strangers are counted by where they come from.
  const from = { host, 'x-forwarded-for': `10.${number & 255}.${(number >> 8) & 255}.${(number >> 16) & 255}` }
  const cookie = cookies[number % cookies.length] ?? ''
  const { status, headers, text } = await sendForm(web, `/oidc/auth?${asked}`, { ...from, cookie: `__Host-gatehouse-oidc=${cookie}` })
  const back = new URL(headers.location ?? 'about:blank')
  const code = back.searchParams.get('code')
  if (status !== 303 || code === null || back.searchParams.get('state') !== state) throw new Error(`no code: ${status} ${back} ${text}`)
  const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, code_verifier: verifier }
  const authorization = `Basic ${btoa(`${client.id}:${client.secret}`)}`
  const answer = await sendForm(web, '/oidc/token', { ...from, authorization }, form)
  const tokens = (answer.status === 200 ? JSON.parse(answer.text) : {}) as Record<string, unknown>
  if (typeof tokens.access_token !== 'string' || typeof tokens.id_token !== 'string') throw new Error(`no tokens: ${answer.text}`)
}
