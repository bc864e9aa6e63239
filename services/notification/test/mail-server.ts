import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as it came over the wire. */
export interface CaughtMail {
  readonly to: string
  readonly messageId: string
  readonly email: Email
  readonly raw: string
}

/** What a mail server does with a mail that it has read: take it, refuse it, break the connection, or never answer. */
export type Reply = 'take' | 'die' | 'hang' | { readonly code: number; readonly text?: string }

export interface MailServerOptions extends SMTPServerOptions {
  /** Asked after the whole mail was read. */
  readonly reply?: (mail: CaughtMail) => Reply | Promise<Reply>
  /** Asked for each recipient. */
  readonly replyToRecipient?: (address: string) => Reply | undefined
}

export interface MailServer extends AsyncDisposable {
  readonly port: number
  /** Every mail that was read, whatever the answer was. */
  readonly read: readonly CaughtMail[]
  /** Those that were taken. */
  readonly taken: readonly CaughtMail[]
}

/** A real mail server on a port of its own, with as bad manners as the test wants. */
export async function startMailServer({ reply = () => 'take', replyToRecipient, ...options }: MailServerOptions = {}): Promise<MailServer> {
  const read: CaughtMail[] = []
  const taken: CaughtMail[] = []
  const sockets = new Set<{ destroy(): unknown }>()
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    ...options,
    onRcptTo({ address }, _session, done) {
      const answer = replyToRecipient?.(address)
      if (typeof answer === 'object') done(refusal(answer))
      else done()
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        void (async () => {
          const raw = Buffer.concat(chunks).toString('utf8')
          const email = await PostalMime.parse(raw)
          const mail = { to: session.envelope.rcptTo[0]?.address ?? '', messageId: email.messageId ?? '', email, raw }
          read.push(mail)
          const answer = await reply(mail)
          if (answer === 'die') for (const socket of sockets) socket.destroy()
          else if (typeof answer === 'object') done(refusal(answer))
          else if (answer === 'take') {
            taken.push(mail)
            done()
          }
        })()
      })
    },
  })
  server.on('error', () => {})
  server.server.on('connection', (socket) => {
    // Below TLS from the start a socket cannot be destroyed.
    if (options.secure) return
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    read,
    taken,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}

const refusal = ({ code, text = 'no' }: { code: number; text?: string }) => Object.assign(new Error(text), { responseCode: code })
