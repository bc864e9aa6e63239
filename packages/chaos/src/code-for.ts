import { setTimeout as delay } from 'node:timers/promises'
import type { SmtpSink } from '@gatehouse/testkit'

const patienceMs = 45_000

/** Reads the six digits in the mail to an address, waited for; undefined when none comes. */
export async function codeFor({ mails }: SmtpSink, email: string): Promise<string | undefined> {
  for (const end = performance.now() + patienceMs; performance.now() < end; await delay(20)) {
    const mail = mails.find(({ to }) => to === email)
    const code = mail && /^\s*(\d{6})\s*$/m.exec(mail.text)?.[1]
    if (code !== undefined) return code
  }
  return undefined
}
