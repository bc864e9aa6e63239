import { setTimeout as delay } from 'node:timers/promises'
import type { Benchmark } from '../benchmark.ts'
import type { House } from '../house.ts'
import { percentile } from '../statistics.ts'

const mostSignUps = 80
const boundMs = 30_000

/** How long somebody who signs up waits for the mail. */
export const mail: Benchmark = {
  name: 'mail',
  about: 'from the answer to SignUp until its mail is with the mail server: event, broker, secret, rendering and SMTP',
  async run(bench) {
    const house = await bench.house()
    const waits: number[] = []
    await signUp(house)
    for (let sample = 0; sample < Math.min(mostSignUps, bench.effort.samples); sample++) waits.push(await signUp(house))
    const figure = (share: number) => {
      const value = percentile(waits, share)
      return { low: Math.min(...waits), median: value, high: Math.max(...waits) }
    }
    const row = { name: 'mail', unit: 'ms', goal: { of: 'figure' as const, most: 300 }, conditions: { sign_ups: waits.length } }
    return [
      { ...row, what: 'sign-up mail, p50', figure: figure(0.5) },
      { ...row, what: 'sign-up mail, p95', figure: figure(0.95) },
    ]
  },
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
