import { setTimeout as delay } from 'node:timers/promises'
import type { Bench, Benchmark, Finding, Spread } from '../benchmark.ts'
import type { House } from '../house.ts'
import { connections, type MailScene, openMailScene } from '../mail-scene.ts'
import { someReaders } from '../people.ts'
import { alternate } from '../rounds.ts'
import { percentile, ratioOf, spreadOf } from '../statistics.ts'

const mostSignUps = 80
/** About what a core does, so that a turn takes about its time. */
const mailsASecond = 400
const steadyPerSecond = 100
const boundMs = 30_000

/** How long somebody who signs up waits for the mail. */
export const mail: Benchmark = {
  name: 'mail',
  about:
    'from the answer to SignUp until its mail is with the mail server: event, broker, secret, rendering and SMTP; and mails of committed events, a backlog of them and a steady stream',
  async run(bench) {
    const house = await bench.house()
    const findings = await signUps(bench, house)
    await using scene = await openMailScene(house)
    return [...findings, await throughput(bench, house, scene), ...(await latency(bench, house, scene))]
  },
}

async function signUps({ effort }: Bench, house: House): Promise<readonly Finding[]> {
  const waits: number[] = []
  await signUp(house)
  for (let sample = 0; sample < Math.min(mostSignUps, effort.samples); sample++) waits.push(await signUp(house))
  const row = { name: 'mail', unit: 'ms', goal: { of: 'figure', most: 300 }, conditions: { sign_ups: waits.length } } as const
  return [
    { ...row, what: 'sign-up mail, p50', figure: figureOf(waits, 0.5) },
    { ...row, what: 'sign-up mail, p95', figure: figureOf(waits, 0.95) },
  ]
}

/** Both sides have so much to send that neither ever waits for more. */
async function throughput(bench: Bench, { local }: House, scene: MailScene): Promise<Finding> {
  const mailsIn = (seconds: number) => Math.max(50, Math.round(seconds * mailsASecond))
  const readers = await someReaders(local, mailsIn(Math.max(bench.effort.seconds, bench.effort.warmUpSeconds)))
  const results = await alternate(
    { ...bench.effort, rounds: Math.min(5, bench.effort.rounds) },
    {
      gatehouse: (seconds) => scene.backlog(readers.slice(0, mailsIn(seconds))),
      bare: (seconds) => scene.bare(readers.slice(0, mailsIn(seconds))),
    },
  )
  return {
    name: 'mail',
    what: 'mails of a backlog of events',
    unit: 'mails/s',
    figure: spreadOf(results.gatehouse),
    against: { name: "nodemailer's pool alone, to the same mail server", figure: spreadOf(results.bare) },
    ratio: ratioOf(results.gatehouse, results.bare),
    goal: { of: 'ratio', least: 0.5 },
    conditions: { mails: mailsIn(bench.effort.seconds), bytes_a_mail: scene.mailBytes(), smtp_connections: connections },
  }
}

async function latency({ effort }: Bench, { local }: House, scene: MailScene): Promise<readonly Finding[]> {
  const count = 10 * effort.samples
  const waits = await scene.steady(await someReaders(local, count), steadyPerSecond)
  const row = { name: 'mail', unit: 'ms', conditions: { mails: count } }
  return [
    { ...row, what: `commit of the event to accepted mail, ${steadyPerSecond}/s, p50`, figure: figureOf(waits, 0.5) },
    {
      ...row,
      what: `commit of the event to accepted mail, ${steadyPerSecond}/s, p99`,
      figure: figureOf(waits, 0.99),
      goal: { of: 'figure', most: 250 },
    },
  ]
}

function figureOf(waits: readonly number[], share: number): Spread {
  return { low: Math.min(...waits), median: percentile(waits, share), high: Math.max(...waits) }
}

/** Signs somebody new up over the origin, waits for the mail and answers the milliseconds since the call returned. */
async function signUp({ local }: House): Promise<number> {
  const email = `${crypto.randomUUID()}@bench.example`
  const response = await fetch(`${local.origin}/gatehouse.auth.v1.AccountService/SignUp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email,
      password: `a sentence of ${crypto.randomUUID()}`,
      name: 'Somebody New',
      locale: 'en',
      requestId: crypto.randomUUID(),
    }),
  })
  const answer = (await response.json()) as { challengeId?: string }
  if (response.status !== 200 || !answer.challengeId) throw new Error(`SignUp answered ${response.status} ${JSON.stringify(answer)}`)
  const returned = performance.now()
  for (;;) {
    const found = local.mailbox.messages.find(({ to }) => to.includes(email))
    const waited = performance.now() - returned
    if (found) {
      if (!/\b\d{6}\b/.test(found.text)) throw new Error(`a mail without a code:\n${found.text}`)
      return waited
    }
    if (waited > boundMs) throw new Error(`no mail within ${boundMs} ms`)
    await delay(1)
  }
}
