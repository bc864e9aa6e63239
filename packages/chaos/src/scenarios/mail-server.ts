import { setTimeout as delay } from 'node:timers/promises'
import { connectGatehouse, type GatehouseClient } from '@gatehouse/client'
import type { SmtpBehaviour } from '@gatehouse/testkit'
import type { Violation } from '../checker/evidence.ts'
import type { Constellation } from '../constellation.ts'
import { startLoad } from '../load.ts'
import { outcomeOf } from '../outcome.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { settle } from '../settle.ts'
import { within } from '../until.ts'
import { callWeb } from '../web-client.ts'

/** The mail server dies, hangs, refuses and throttles. */
export const mailServer: Scenario = {
  name: 'mail-server',
  faults: 'SMTP accepts and then dies, hangs, answers 4xx and 5xx, throttles',
  promise:
    'retry by class, a stable Message-ID, no mail for a deleted person, no expired code sent, security mail ahead of everything else in the queue',
  house: { extra: { notification: { MAIL_ATTEMPTS: '60' } } },
  async run(house, { random, effort, say }) {
    const faultsBefore = house.history.faults.length
    await using opening = new AsyncDisposableStack()
    const load = opening.use(await startLoad(house, { random, administrators: 2, people: 2, pauseMs: 50 }))
    const scene = opening.use(await openScene(house, random, say))
    const manners: readonly (() => SmtpBehaviour | ((to: string) => SmtpBehaviour))[] = [
      () => ({ kind: 'die', when: 'before-answer' }),
      () => ({ kind: 'refuse', code: random.pick([421, 450, 451, 452]), at: 'data' }),
      () => ({ kind: 'hang' }),
      () => (to) => (bounces(to) ? { kind: 'refuse', code: random.pick([550, 552, 554]), at: random.pick(['rcpt', 'data']) } : ok),
      () => ({ kind: 'die', when: 'after-answer' }),
      () => ({ kind: 'refuse', code: random.pick([450, 451]), at: 'rcpt' }),
      () => ({ kind: 'throttle', perSecond: 5 }),
    ]
    const acts = [deletedMeanwhile, expiredMeanwhile, codeBehindNews]
    const violations: Violation[] = []
    for (let turn = 0; house.history.faults.length - faultsBefore < effort.faults || load.operations < effort.operations; turn++) {
      scene.behave(manners[turn % manners.length]?.() ?? ok)
      await delay(random.integer(300, effort.name === 'smoke' ? 500 : 2_500))
      scene.behave()
      await delay(random.integer(100, 1_000))
      if (turn % 3 === 0) violations.push(...((await acts[(turn / 3) % acts.length]?.(scene)) ?? []))
    }
    await load.stop()
    violations.push(...(await settle(house)).map((left) => violation('retry-by-class', left)))
    return [...violations, ...(await classes(house))]
  },
}

const ok: SmtpBehaviour = { kind: 'ok' }
/** A fifth of those who are invited. */
const bounces = (to: string): boolean => /^administrator-.*[37]@/.test(to)

const sentences = {
  'retry-by-class':
    'what is refused for now goes later under its Message-ID, what is refused for good is given up at once and kept with its reason',
  'no-mail-for-the-deleted': 'a person who was deleted while their mail waited gets none',
  'no-expired-code': 'a code that expired while its mail waited is not sent',
  'security-first': 'a mail that somebody waits for does not stand behind the others, also where the mail server throttles',
}
const violation = (rule: keyof typeof sentences, ...evidence: string[]): Violation => ({ rule, sentence: sentences[rule], evidence })

interface Scene extends AsyncDisposable {
  readonly house: Constellation
  readonly random: Random
  /** As whoever a token belongs to. */
  readonly users: GatehouseClient['users']
  /** As a workload. */
  readonly gatehouse: GatehouseClient
  readonly say: (line: string) => void
  /** A name that nobody has had. */
  address(): string
  behave(behaviour?: SmtpBehaviour | ((to: string) => SmtpBehaviour)): void
}

async function openScene(house: Constellation, random: Random, say: Scene['say']): Promise<Scene> {
  await using opening = new AsyncDisposableStack()
  const origin = `http://127.0.0.1:${house.links.at('web→auth').port}`
  const { users } = opening.use(await connectGatehouse({ origin, userUrl: house.links.urlOf('client', 'user') }))
  const workload = { notificationUrl: house.links.urlOf('client', 'notification'), workloadKeyFile: house.keyFile('example') }
  const gatehouse = opening.use(await connectGatehouse({ origin, ...workload }))
  const owned = opening.move()
  let count = 0
  return {
    house,
    random,
    users,
    gatehouse,
    say,
    address: () => `mailed-${random.seed}-${count++}@chaos.example`,
    behave(behaviour) {
      if (behaviour)
        house.history.fault(`mail server of notification: ${typeof behaviour === 'function' ? 'refuses some' : JSON.stringify(behaviour)}`)
      house.servers.mail.set(behaviour ?? ok)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const later: SmtpBehaviour = { kind: 'refuse', code: 451, at: 'data' }

/** Somebody who signed up, whose address is therefore not proven: the id of their challenge. */
async function signUp({ house, random }: Scene, email: string): Promise<string> {
  const body = { email, password: 'correct horse battery staple!', name: email, locale: 'en', requestId: random.uuid() }
  for (;;) {
    const answer = await callWeb(house, 'AccountService/SignUp', body, {
      source: `10.77.${random.integer(1, 250)}.${random.integer(1, 250)}`,
    })
    if (answer.kind === 'done') return String(answer.body.challengeId)
    await delay(100)
  }
}

async function sendNews({ gatehouse, random }: Scene, recipient: string, title: string): Promise<void> {
  const news = { template: 'announcement', recipient, data: { title, text: 'Nothing is lost.' }, requestId: random.uuid() }
  for (const end = performance.now() + 20_000; ; await delay(100)) {
    try {
      await gatehouse.notifications.sendNotification(news, gatehouse.about('default', { timeoutMs: 5_000 }))
      return
    } catch (error) {
      if (outcomeOf(error).kind !== 'unknown' || performance.now() > end) throw error
    }
  }
}

async function newcomer(scene: Scene): Promise<{ readonly id: string; readonly email: string }> {
  const { house, users, random } = scene
  const email = scene.address()
  const options = { headers: { authorization: `Bearer ${await house.adminToken()}` }, timeoutMs: 5_000 }
  const { user } = await users.createUser({ email, name: email, requestId: random.uuid() }, options)
  return { id: user?.id ?? '', email }
}

async function deletedMeanwhile(scene: Scene): Promise<Violation[]> {
  const { house, users } = scene
  const { mails, turnedAway } = house.servers.mail
  scene.behave((to) => (to.startsWith('mailed-') ? later : ok))
  const { id, email } = await newcomer(scene)
  await sendNews(scene, id, 'For somebody who leaves')
  const tried = await within(10_000, () => turnedAway.some(({ to, kind }) => to === email && kind === 'For somebody who leaves'))
  await users.deleteUser({ id }, { headers: { authorization: `Bearer ${await house.adminToken()}` }, timeoutMs: 5_000 })
  const before = mails.filter(({ to }) => to === email).length
  // What is in a worker's hands at this moment is refused still.
  await delay(1_500)
  scene.behave()
  await delay(2_500)
  const got = mails.filter(({ to }) => to === email).length - before
  if (!tried) {
    const rows = await house.sql(
      `select d.id, d.urgent, d.state, d.attempts, d.postponements, d.failure from gatehouse_notification.deliveries d
       join gatehouse_notification.notifications n on n.id = d.notification_id where n.user_id = $1`,
      [id],
    )
    return [violation('no-mail-for-the-deleted', `the news for ${email} were not tried within ten seconds: ${JSON.stringify(rows)}`)]
  }
  return got === 0 ? [] : [violation('no-mail-for-the-deleted', `${email} was deleted and got ${got} mails`)]
}

const codeIn = (text = ''): string | undefined => /^\s*(\d{6})\s*$/m.exec(text)?.[1]

async function expiredMeanwhile(scene: Scene): Promise<Violation[]> {
  const { house } = scene
  const { mails, turnedAway } = house.servers.mail
  const email = scene.address()
  const all = scene.random.percent(50)
  scene.behave((to) => (to === email ? later : ok))
  const challengeId = await signUp(scene, email)
  const refused = () => turnedAway.filter(({ to, text }) => to === email && codeIn(text) !== undefined)
  if (!(await within(15_000, () => refused().length > 0)))
    return [violation('no-expired-code', `the code for ${email} was not tried within 15 seconds`)]
  // As if so much time had passed.
  const columns = all ? 'code_expire_time = now(), token_expire_time = now()' : 'code_expire_time = now()'
  await house.sql(`update gatehouse_auth.challenge_secrets set ${columns} where challenge_id = $1`, [challengeId])
  // Whoever had asked for the secret before sends it within a lease.
  await delay(2_000)
  scene.behave()
  const sent = () => mails.find(({ to }) => to === email)
  if (!(await within(15_000, () => sent() !== undefined))) return [violation('retry-by-class', `no mail for ${email} within 15 seconds`)]
  const { messageId = '', text } = sent() ?? {}
  const [first] = refused()
  const found: Violation[] = []
  const code = codeIn(text)
  if (code !== undefined && code === codeIn(first?.text))
    found.push(violation('no-expired-code', `${email} was sent ${code}, which had expired`))
  // What is said again under its Message-ID says the same.
  if (messageId === first?.messageId) found.push(violation('no-expired-code', `${email}: another secret came under the same Message-ID`))
  return found
}

const newsCount = 60

async function codeBehindNews(scene: Scene): Promise<Violation[]> {
  const { house, say } = scene
  const { mails } = house.servers.mail
  const { id, email } = await newcomer(scene)
  await within(10_000, () => mails.some(({ to }) => to === email))
  scene.behave({ kind: 'throttle', perSecond: 5 })
  await Promise.all(Array.from({ length: newsCount }, (_, i) => sendNews(scene, id, `News ${i}`)))
  await within(5_000, () => mails.filter(({ to }) => to === email).length > 1)
  const waiting = scene.address()
  await signUp(scene, waiting)
  const began = Date.now()
  const came = await within(30_000, () => mails.some(({ to }) => to === waiting))
  const news = mails.filter(({ to, time }) => to === email && time >= began).length
  say(
    `a code behind ${newsCount} news at 5 mails a second: ${came ? `${Date.now() - began} ms` : 'not within 30 s'}, ${news} news before it`,
  )
  scene.behave()
  await within(60_000, () => mails.filter(({ to }) => to === email).length > newsCount)
  // What was on its way when it came may go first.
  return came && news <= 10
    ? []
    : [violation('security-first', `a code came ${came ? `behind ${news} of ${newsCount} news` : 'not within 30 seconds'}`)]
}

/** What was refused for good was tried once and is kept; all else was delivered. */
async function classes(house: Constellation): Promise<Violation[]> {
  const { turnedAway } = house.servers.mail
  const rows = await house.sql<{ id: string; state: string; attempts: number; failure: string; dead: boolean }>(
    `select d.id, d.state, d.attempts, d.failure, dead.delivery_id is not null as dead
     from gatehouse_notification.deliveries d left join gatehouse_notification.dead_deliveries dead on dead.delivery_id = d.id`,
  )
  const known = new Map(rows.map((row) => [row.id, row]))
  const wrong: string[] = []
  for (const { id, state, failure, dead } of rows) {
    const forGood = / answered 5\d\d/.test(failure)
    if (state === 'failed' && !(forGood && dead)) wrong.push(`delivery ${id} was given up (${failure})${dead ? '' : ' and is not kept'}`)
    if (forGood && state !== 'failed') wrong.push(`delivery ${id} was refused for good (${failure}) and is ${state}`)
  }
  for (const { messageId, to } of turnedAway) {
    const id = /^<?([^@>]+)@/.exec(messageId ?? '')?.[1]
    if (id !== undefined && !known.has(id)) wrong.push(`a mail to ${to} was tried under ${messageId}, which is no delivery`)
  }
  return wrong.length === 0 ? [] : [violation('retry-by-class', ...wrong.slice(0, 10))]
}
