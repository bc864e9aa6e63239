import { connect } from 'node:net'
import { type Check, ok, wrong } from '@gatehouse/service'
import type { NotificationConfig } from './config.ts'

const patienceMs = 3000

/** Whether somebody listens where the mail server should be. Nothing is said to them, so no credentials are tried. */
export function mailServerCheck({ smtpUrl }: NotificationConfig): Check {
  return async () => {
    const { hostname, port, protocol } = new URL(smtpUrl)
    const at = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'smtps:' ? 465 : 587)) }
    const problem = await refusalOf(at)
    const place = `the mail server at ${at.host}:${at.port}`
    return [
      problem === undefined
        ? ok(`${place} takes connections`)
        : wrong(
            `${place} cannot be reached: ${problem}`,
            'start it, or mend SMTP_URL. Mails wait meanwhile and go by themselves, 16 tries',
          ),
    ]
  }
}

function refusalOf(at: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(at)
    const end = (problem?: string) => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(patienceMs, () => end('it does not answer'))
    socket.once('connect', () => end())
    socket.once('error', (error) => end(error.message || (error as NodeJS.ErrnoException).code))
  })
}
