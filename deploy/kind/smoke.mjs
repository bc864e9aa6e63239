// Whether a Gatehouse that runs somewhere works, by plain HTTP and no dependency, so that it runs in a pod of any of its images.
//
//   node smoke.mjs               somebody signs up, proves the mailbox, signs in, is read, refreshes and signs out
//   node smoke.mjs --for 60      knocks at every door for so many seconds, and fails if one call did
//
// AUTH_WEB, USER_WEB, NOTIFICATION_WEB and MAILBOX are base URLs; without them all are ORIGIN's. ORIGIN is also the host that is asked for: the tenant follows from it.
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const { ORIGIN = 'http://localhost:8080', AUTH_WEB = ORIGIN, USER_WEB = ORIGIN, NOTIFICATION_WEB = ORIGIN, MAILBOX = ORIGIN } = process.env
const patienceMs = 60_000
const knockMs = 25
const say = (line) => process.stdout.write(`${line}\n`)
const agent = new Agent({ keepAlive: true })

/** One call, tried once. */
function call(base, path, { body, token, method = body === undefined ? 'GET' : 'POST' } = {}) {
  const headers = {
    host: new URL(ORIGIN).host,
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method, headers, agent, timeout: 10_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')))
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** One call that has to be a yes. */
async function ask(base, path, options) {
  const { status, text } = await call(base, path, options)
  if (status < 200 || status > 299) throw new Error(`${path} answered ${status}: ${text}`)
  return text === '' ? {} : JSON.parse(text)
}

const auth = (rpc, body, token) => ask(AUTH_WEB, `/gatehouse.auth.v1.${rpc}`, { body, token })

async function codeFor(email) {
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(250)) {
    const { messages } = await ask(MAILBOX, '/dev/mailbox.json')
    const code = messages.filter(({ to }) => to.includes(email)).map(({ text }) => /^\s*(\d{6})\s*$/m.exec(text)?.[1])
    if (code[0] !== undefined) return code[0]
  }
  throw new Error(`no mail for ${email} within ${patienceMs / 1000} s: is auth's event told, and notification's mail server there?`)
}

async function journey() {
  const email = `smoke-${randomUUID()}@example.com`
  const password = `correct horse ${randomUUID()}`
  const { challengeId } = await auth('AccountService/SignUp', { email, password, name: 'Smoke', requestId: randomUUID() })
  say(`signed up ${email}`)
  await auth('AccountService/VerifyEmail', { challengeId, code: await codeFor(email) })
  say('proved the mailbox by the code of the mail')
  const { signedIn } = await auth('SessionService/SignIn', { email, password })
  const { user } = await ask(USER_WEB, '/gatehouse.user.v1.UserService/GetUser', {
    body: { id: signedIn.user.id },
    token: signedIn.accessToken,
  })
  if (user.email !== email) throw new Error(`GetUser told of ${user.email}`)
  say(`signed in, and read ${user.id}`)
  await ask(NOTIFICATION_WEB, '/api/inbox', { token: signedIn.accessToken })
  const refreshed = await auth('SessionService/RefreshSession', { refreshToken: signedIn.refreshToken })
  await auth('SessionService/SignOut', { refreshToken: refreshed.signedIn.refreshToken })
  say('refreshed, and signed out')
}

/** Doors that answer a stranger, and what they say to one. */
const knocks = [
  [AUTH_WEB, '/.well-known/jwks.json', 200],
  [AUTH_WEB, '/api/sessions', 401],
  [USER_WEB, '/api/users', 401],
  [NOTIFICATION_WEB, '/api/inbox', 401],
]

async function knock(seconds) {
  let calls = 0
  const failed = []
  const until = Date.now() + seconds * 1000
  await Promise.all(
    knocks.map(async ([base, path, expected]) => {
      for (; Date.now() < until; await delay(knockMs)) {
        calls++
        const said = await call(base, path).then(
          ({ status }) => status,
          (error) => error.message,
        )
        if (said !== expected) failed.push(`${new Date().toISOString()} ${path}: ${said}`)
      }
    }),
  )
  for (const line of failed.slice(0, 20)) say(line)
  say(`${calls} calls in ${seconds} s, ${failed.length} failed`)
  if (failed.length > 0 || calls === 0) process.exitCode = 1
}

const [, , flag, seconds] = process.argv
await (flag === '--for' ? knock(Number(seconds)) : journey())
agent.destroy()
