import type { AddressInfo } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'

/** A mail as `/dev/mailbox.json` shows it. */
export interface CaughtMail {
  readonly id: string
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Header values by lower-case name; of several with one name, the last. */
  readonly headers: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly receive_time: string
}

/** A mail server that keeps every mail and delivers none. */
export interface Mailbox extends AsyncDisposable {
  readonly port: number
  /** Newest first. */
  readonly messages: readonly CaughtMail[]
  clear(): void
}

const kept = 1000
const largestBytes = 10 * 1024 * 1024

/** Starts the mail server on 127.0.0.1; port 0 takes a free one. */
export async function startMailbox(port: number): Promise<Mailbox> {
  const messages: CaughtMail[] = []
  let count = 0
  const server = new SMTPServer({
    name: 'mailbox.localhost',
    banner: 'every mail stays here',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: largestBytes,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        try {
          const mail = await PostalMime.parse(Buffer.concat(chunks))
          messages.unshift({
            id: String(++count),
            from: mail.from?.address ?? '',
            to: session.envelope.rcptTo.map(({ address }) => address),
            subject: mail.subject ?? '',
            text: mail.text ?? '',
            html: mail.html ?? '',
            headers: Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
            receive_time: new Date().toISOString(),
          })
          messages.length = Math.min(messages.length, kept)
          done()
        } catch (error) {
          done(error instanceof Error ? error : new Error('this is not a mail'))
        }
      })
    },
  })
  // A client that goes away in the middle of a mail is its own problem.
  server.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
  return {
    port: (server.server.address() as AddressInfo).port,
    messages,
    clear: () => {
      messages.length = 0
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
