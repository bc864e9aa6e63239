import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { answerParent, type CommonActs } from './answer-parent.ts'
import { nowMs } from './monotonic.ts'

/** One mail that was accepted. */
export interface SunkMail {
  readonly to: string
  readonly messageId: string
  /** What the text greets the reader with. */
  readonly greeted: string
  readonly bytes: number
  /** When its acceptance was on its way back. */
  readonly time: number
}

/** A mail server that takes every mail. */
export interface MailSinkActs extends CommonActs {
  /** Answers its port. */
  listen(): Promise<number>
  /** Waits until so many mails were accepted since it was last asked, and answers them; fewer where they do not come within a minute. */
  take(count: number): Promise<readonly SunkMail[]>
}

interface Raw {
  readonly to: string
  readonly chunks: readonly Buffer[]
  readonly time: number
}

const boundMs = 60_000
let accepted: Raw[] = []
let wanted: { readonly count: number; readonly ring: () => void } | undefined

answerParent<Omit<MailSinkActs, 'usage'>>({
  async listen() {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onData(stream, session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address).join(' ')
          accepted.push({ to, chunks, time: nowMs() })
          done()
          if (wanted && accepted.length >= wanted.count) wanted.ring()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    return (server.server.address() as AddressInfo).port
  },
  async take(count) {
    if (accepted.length < count) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, boundMs)
        const ring = (): void => {
          clearTimeout(timer)
          resolve()
        }
        wanted = { count, ring }
      })
      wanted = undefined
    }
    const taken = accepted
    accepted = []
    return taken.map(read)
  },
})

/** Read only when nobody waits for it: the measured time has the protocol in it and no parsing. */
function read({ to, chunks, time }: Raw): SunkMail {
  const raw = Buffer.concat(chunks)
  const text = raw.toString('latin1')
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1]?.trim() ?? ''
  const intoHeader = header('To').replace(/[<>]/g, '')
  return {
    to: intoHeader === to ? to : `${to}, but its header says ${intoHeader}`,
    messageId: header('Message-ID'),
    greeted: /^Hello (.*),\r?$/m.exec(text)?.[1] ?? '',
    bytes: raw.length,
    time,
  }
}
