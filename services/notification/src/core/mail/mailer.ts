import { createTransport } from 'nodemailer'

/** A mail as it goes to the mail server. */
export interface OutgoingMail {
  /** What its Message-ID is made of: the same id again is the same mail again. */
  readonly deliveryId: string
  readonly to: string
  readonly subject: string
  readonly html: string
  readonly text: string
  /** Whether the reader can do without such mails. */
  readonly optional: boolean
}

export interface MailerOptions {
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
  readonly from: { readonly name: string; readonly address: string }
  readonly dkim?: { readonly domain: string; readonly selector: string; readonly privateKey: string } | undefined
  /** What readers of optional mails can do to get no more: `mailto:` or `https:` (RFC 2369). */
  readonly unsubscribe?: string | undefined
}

export interface Mailer extends AsyncDisposable {
  /** Resolves once the mail server took responsibility for the mail. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>
}

/** Speaks SMTP through a pool of connections. It retries nothing: that is for the deliveries, which outlive the process. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, timeoutMs } = options
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const transport = createTransport({
    pool: true,
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    requireTLS: options.security === 'starttls',
    ignoreTLS: options.security === 'none',
    name: domain,
    tls: { minVersion: 'TLSv1.2', ...(options.caCertificate && { ca: options.caCertificate }) },
    ...(options.user !== undefined && { auth: { user: options.user, pass: options.password ?? '' } }),
    ...(options.dkim && {
      dkim: { domainName: options.dkim.domain, keySelector: options.dkim.selector, privateKey: options.dkim.privateKey },
    }),
    maxConnections: options.connections,
    maxRequeues: 0,
    idleTimeout: 30_000,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    // Texts are ours, addresses are data: nothing in a mail is ever read from a file or an address on the web.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  // A connection that breaks fails the mail that it carries; an idle one is simply replaced.
  transport.on('error', () => {})

  return {
    async send(mail, signal) {
      await transport.sendMail({
        from,
        // As an object: the address is taken as it is, and never parsed as a list.
        to: { name: '', address: mail.to },
        subject: mail.subject,
        html: mail.html,
        text: mail.text,
        messageId: `<${mail.deliveryId}@${domain}>`,
        headers: {
          // RFC 3834: no out-of-office answers.
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          ...(mail.optional && options.unsubscribe && { 'List-Unsubscribe': `<${options.unsubscribe}>` }),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.sendTimeoutMs)]),
      })
    },
    async [Symbol.asyncDispose]() {
      transport.close()
    },
  }
}
