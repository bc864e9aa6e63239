import type { AddressInfo, Socket } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'

/** What a mail server does with a mail. */
export type SmtpBehaviour =
  | { readonly kind: 'ok' }
  /** Reads the mail and never answers. */
  | { readonly kind: 'hang' }
  /** Takes the mail for good and closes the connection, before its 250 or right after it. */
  | { readonly kind: 'die'; readonly when: 'before-answer' | 'after-answer' }
  /** Says this code, of 400 to 599, to the recipient or to the mail. */
  | { readonly kind: 'refuse'; readonly code: number; readonly at: 'rcpt' | 'data'; readonly text?: string }
  /** Takes so many a second, and says 421 to the rest. */
  | { readonly kind: 'throttle'; readonly perSecond: number }

/** A mail that was taken for good, whatever its sender heard of it. */
export type SunkMail = {
  readonly messageId: string
  readonly to: string
  /** Its subject, which says what kind of mail it is. */
  readonly kind: string
  readonly text: string
  /** Epoch milliseconds. */
  readonly time: number
}

/** A mail server whose manners are switched while it runs. */
export type SmtpSink = AsyncDisposable & {
  readonly port: number
  /** For all, or by recipient; mails that are being read have the manners of their end. */
  readonly set: (behaviour: SmtpBehaviour | ((to: string) => SmtpBehaviour)) => void
  /** In the order of their acceptance. */
  readonly mails: readonly SunkMail[]
  /** Mails that were read to their end and not taken, or that were refused before. */
  readonly turnedAway: readonly (Partial<SunkMail> & Pick<SunkMail, 'to' | 'time'>)[]
  /** Closes every connection. */
  readonly cut: () => void
}

/** Starts one on 127.0.0.1 that takes every mail; port 0, the default, takes a free one. */
export async function startSmtpSink(port = 0): Promise<SmtpSink> {
  let behave = (_to: string): SmtpBehaviour => ({ kind: 'ok' })
  const mails: SunkMail[] = []
  const turnedAway: SmtpSink['turnedAway'][number][] = []
  const sockets = new Map<string, Socket>()
  const takenLately: number[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect: (_session, done) => done(),
    onRcptTo({ address: to }, _session, done) {
      const behaviour = behave(to)
      if (behaviour.kind !== 'refuse' || behaviour.at !== 'rcpt') return done()
      turnedAway.push({ to, time: Date.now() })
      done(refusal(behaviour.code, behaviour.text))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        void PostalMime.parse(Buffer.concat(chunks)).then(({ messageId = '', subject = '', text = '' }) => {
          const to = session.envelope.rcptTo[0]?.address ?? ''
          const behaviour = behave(to)
          const time = Date.now()
          const mail = { messageId, to, kind: subject, text, time }
          const code = refusedWith(behaviour, takenLately, time)
          if (code !== undefined || behaviour.kind === 'hang') turnedAway.push(mail)
          else mails.push(mail)
          if (code !== undefined) return done(refusal(code))
          if (behaviour.kind === 'hang') return
          const socket = sockets.get(keyOf(session))
          if (behaviour.kind === 'die' && behaviour.when === 'before-answer') return socket?.destroy()
          done()
          if (behaviour.kind === 'die') socket?.destroySoon()
        }, done)
      })
    },
  })
  // A client that goes away in the middle of a mail is its own problem.
  server.on('error', () => undefined)
  server.server.on('connection', (socket: Socket) => {
    const key = keyOf(socket)
    sockets.set(key, socket)
    socket.once('close', () => sockets.delete(key))
  })
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
  const cut = (): void => {
    for (const socket of sockets.values()) socket.destroy()
  }
  return {
    port: (server.server.address() as AddressInfo).port,
    set(behaviour) {
      behave = typeof behaviour === 'function' ? behaviour : () => behaviour
    },
    mails,
    turnedAway,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const keyOf = ({ remoteAddress, remotePort }: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string =>
  `${remoteAddress} ${remotePort}`

/** The code of this behaviour for a mail that ends now; a mail within the rate is counted. */
function refusedWith(behaviour: SmtpBehaviour, takenLately: number[], time: number): number | undefined {
  if (behaviour.kind === 'refuse') return behaviour.at === 'data' ? behaviour.code : undefined
  if (behaviour.kind !== 'throttle') return undefined
  while ((takenLately[0] ?? time) <= time - 1_000) takenLately.shift()
  if (takenLately.length >= behaviour.perSecond) return 421
  takenLately.push(time)
  return undefined
}

const refusal = (code: number, text = code < 500 ? 'later' : 'never'): Error => Object.assign(new Error(text), { responseCode: code })
