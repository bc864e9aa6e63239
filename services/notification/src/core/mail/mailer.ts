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
  readonly password?: string | undefined
  readonly caCertificate?: string | undefined
  /** Connections held at most. */
  readonly connections: number
  /** Bound of connecting, of the greeting, and of every silence. */
  readonly timeoutMs: number
  /** Bound of a whole send, however busily the mail server keeps us waiting. */
  readonly sendTimeoutMs: number
  readonly dkim?: { readonly domain: string; readonly selector: string; readonly privateKey: string } | undefined
}

export interface Mailer extends AsyncDisposable {
  /** Resolves once the mail server took responsibility for the mail. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>
}

// Exim's own bound for what it sends over one connection; nodemailer's default of a hundred rests a connection ten times a second.
const mailsOfAConnection = 500

/** Speaks SMTP through a pool of connections. It retries nothing: that is for the deliveries, which outlive the process. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, timeoutMs, dkim } = options
  const signer = dkim && new DKIM({ domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.privateKey })
  const pool = new SMTPPool({
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    requireTLS: options.security === 'starttls',
    ignoreTLS: options.security === 'none',
    name: from.address.slice(from.address.lastIndexOf('@') + 1),
    tls: { minVersion: 'TLSv1.2', ...(options.caCertificate && { ca: options.caCertificate }) },
    ...(options.user !== undefined && { auth: { user: options.user, pass: options.password ?? '' } }),
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

  return {
    send(mail, signal) {
      const written = writeMail(mail, options)
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(options.sendTimeoutMs)])
      return traceSmtp(options, () => {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        pool.send(asMessage(written, bounded, signer), (error) => (error ? reject(error) : resolve()))
        return promise
      })
    },
    async [Symbol.asyncDispose]() {
      pool.close()
    },
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
