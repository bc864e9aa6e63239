import DKIM from 'nodemailer/lib/dkim'
import SMTPPool from 'nodemailer/lib/smtp-pool'
import { traceSmtp } from './smtp-span.ts'
import { type OutgoingMail, type Sender, type WrittenMail, writeMail } from './write-mail.ts'

export interface MailerOptions extends Sender {
  readonly host: string
  readonly port: number
  /** `starttls` demands the upgrade, `tls` begins with it, `none` is for a catcher on the same machine. */
  readonly security: 'starttls' | 'tls' | 'none'
  readonly user?: string | undefined
  /** Asked for before each mail: it may be replaced while we run, and so may the key of `dkim`. */
  readonly password?: (() => string) | undefined
  readonly caCertificate?: string | undefined
  /** Connections held at most. */
  readonly connections: number
  /** Bound of connecting, of the greeting, and of every silence. */
  readonly timeoutMs: number
  /** Bound of a whole send, however busily the mail server keeps us waiting. */
  readonly sendTimeoutMs: number
  readonly dkim?: { readonly domain: string; readonly selector: string; readonly privateKey: () => string } | undefined
}

export interface Mailer extends AsyncDisposable {
  /** Resolves once the mail server took responsibility for the mail. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>
}

// Exim's own bound for what it sends over one connection; nodemailer's default of a hundred rests a connection ten times a second.
const mailsOfAConnection = 500

/** Speaks SMTP through a pool of connections. It retries nothing: that is for the deliveries, which outlive the process. */
export function createMailer(options: MailerOptions): Mailer {
  const { dkim, password } = options
  const signer = remade(
    () => dkim?.privateKey(),
    (privateKey) => dkim && new DKIM({ domainName: dkim.domain, keySelector: dkim.selector, privateKey: privateKey ?? '' }),
  )
  const pool = remade(
    () => password?.(),
    (now) => openPool(options, now),
    (old) => old.leave(),
  )
  return {
    send(mail, signal) {
      const written = writeMail(mail, options)
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(options.sendTimeoutMs)])
      return traceSmtp(options, () => pool().send(asMessage(written, bounded, signer())))
    },
    async [Symbol.asyncDispose]() {
      pool().close()
    },
  }
}

/** What is made of a text, and made anew where that is another one. */
function remade<T>(textNow: () => string | undefined, make: (text: string | undefined) => T, leave?: (old: T) => void): () => T {
  let text = textNow()
  let made = make(text)
  return () => {
    const now = textNow()
    if (now === text) return made
    leave?.(made)
    text = now
    made = make(now)
    return made
  }
}

interface Pool {
  send(message: Parameters<SMTPPool['send']>[0]): Promise<void>
  /** Ends its connections once its mails are through. */
  leave(): void
  close(): void
}

function openPool({ from, timeoutMs, ...options }: MailerOptions, password: string | undefined): Pool {
  const pool = new SMTPPool({
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    requireTLS: options.security === 'starttls',
    ignoreTLS: options.security === 'none',
    name: from.address.slice(from.address.lastIndexOf('@') + 1),
    tls: { minVersion: 'TLSv1.2', ...(options.caCertificate && { ca: options.caCertificate }) },
    ...(options.user !== undefined && { auth: { user: options.user, pass: password ?? '' } }),
    maxConnections: options.connections,
    maxMessages: mailsOfAConnection,
    maxRequeues: 0,
    idleTimeout: 30_000,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1000,
  })
  // A connection that breaks fails the mail that it carries; an idle one is simply replaced.
  pool.on('error', () => {})
  let underWay = 0
  let leaving = false
  return {
    send(message) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      underWay++
      pool.send(message, (error) => {
        underWay--
        if (leaving && underWay === 0) pool.close()
        return error ? reject(error) : resolve()
      })
      return promise
    },
    leave() {
      leaving = true
      if (underWay === 0) pool.close()
    },
    close: () => pool.close(),
  }
}

/** What the pool asks of a message. Nodemailer's own would make streams of it; the connection takes bytes as well. */
function asMessage(
  { envelope, messageId, bytes }: WrittenMail,
  signal: AbortSignal,
  signer: DKIM | undefined,
): Parameters<SMTPPool['send']>[0] {
  const message = {
    getEnvelope: () => ({ from: envelope.from, to: [...envelope.to] }),
    messageId: () => messageId,
    getHeader: () => messageId,
    createReadStream: () => (signer ? signer.sign(bytes) : bytes),
  }
  return { data: { signal }, message } as unknown as Parameters<SMTPPool['send']>[0]
}
