import {
  duration,
  integer,
  oneOf,
  optional,
  type Rule,
  type ServiceConfig,
  secret,
  serviceRules,
  serviceVariables,
  text,
  url,
  type Values,
  type Variable,
} from '@gatehouse/config'

/** A mailbox as mail programs write it, with or without a name: `Gatehouse <no-reply@example.com>`. */
function mailbox(about: string): Variable<{ readonly name: string; readonly address: string }> {
  return {
    about,
    secret: false,
    fallback: undefined,
    parse(raw) {
      const [, name = '', inBrackets, bare] = /^(?:([^<>"]*)<([^<>\s@]+@[^<>\s@]+)>|([^<>\s@]+@[^<>\s@]+))$/.exec(raw.trim()) ?? []
      const address = inBrackets ?? bare
      if (address === undefined) throw new Error('has to be an address such as Gatehouse <no-reply@example.com>')
      return { name: name.trim(), address }
    },
  }
}

/** The environment of the notification service: that of every service, its peers, and how mail leaves. */
export const variables = {
  ...serviceVariables,
  USER_URL: text({ about: 'gRPC door of the user service, host:port: it knows who reads a mail' }),
  AUTH_URL: text({ about: 'gRPC door of the auth service, host:port: it verifies callers and knows the secrets of mails' }),
  SMTP_URL: url({
    about: 'mail server, such as smtp://mail.example.com:587, or smtps:// for TLS from the start',
    protocols: ['smtp:', 'smtps:'],
  }),
  SMTP_USER: optional(text({ about: 'who we are to the mail server, where it asks' })),
  SMTP_PASSWORD: optional(secret({ about: 'our password there; best as SMTP_PASSWORD_FILE' })),
  SMTP_STARTTLS: optional(
    oneOf(['required', 'off'], { about: 'whether smtp:// has to upgrade to TLS; required in production unless it says off' }),
  ),
  SMTP_CA_FILE: optional(text({ about: "certificate authority of the mail server, PEM, where it is not one of the world's" })),
  SMTP_CONNECTIONS: integer({
    about: 'connections to the mail server; a third is kept for mails that cannot wait',
    default: 12,
    min: 3,
    max: 200,
  }),
  SMTP_TIMEOUT: duration({ about: 'longest silence of the mail server', default: 15_000 }),
  MAIL_FROM: mailbox('sender of all mail; its domain also ends the Message-IDs'),
  MAIL_BRAND: text({ about: 'what the house is called in mails', default: 'Gatehouse' }),
  MAIL_UNSUBSCRIBE: optional(
    url({ about: 'what List-Unsubscribe offers in announcements, mailto: or https:', protocols: ['mailto:', 'https:'] }),
  ),
  MAIL_ATTEMPTS: integer({ about: 'tries after which a mail is given up', default: 16, min: 1, max: 100 }),
  MAIL_FIRST_DELAY: duration({ about: 'longest wait before the second try; it doubles with each', default: 2_000 }),
  MAIL_MAX_DELAY: duration({ about: 'longest wait between two tries', default: 1_800_000 }),
  MAIL_LEASE: duration({ about: 'after which the mails of a dead process go again', default: 60_000 }),
  DKIM_DOMAIN: optional(text({ about: 'domain that signs mail (RFC 6376)' })),
  DKIM_SELECTOR: optional(text({ about: 'names the key in the DNS' })),
  DKIM_PRIVATE_KEY: optional(secret({ about: 'private key that signs mail, PEM; best as DKIM_PRIVATE_KEY_FILE' })),
  NOTIFICATIONS_KEPT: duration({ about: 'how long finished notifications are kept', default: 90 * 86_400_000 }),
  INBOX_KEPT: duration({ about: 'how long inbox items are kept', default: 365 * 86_400_000 }),
}

export type NotificationConfig = Values<typeof variables>

/** Whether plain `smtp://` upgrades to TLS. */
export function upgradesToTls({ smtpStarttls, gatehouseMode }: Pick<NotificationConfig, 'smtpStarttls' | 'gatehouseMode'>): boolean {
  return (smtpStarttls ?? (gatehouseMode === 'production' ? 'required' : 'off')) === 'required'
}

/** The longest a single mail may take: well within its lease, so that no other worker sends it meanwhile. */
export const sendTimeoutMs = ({ mailLease }: Pick<NotificationConfig, 'mailLease'>): number => mailLease / 2

/** What has to hold between the values. */
export const rules: readonly Rule<NotificationConfig & ServiceConfig>[] = [
  ...serviceRules,
  (values) => {
    const dkim = [values.dkimDomain, values.dkimSelector, values.dkimPrivateKey].filter((each) => each !== undefined)
    return dkim.length === 0 || dkim.length === 3 ? undefined : 'DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY go together'
  },
  ({ smtpUrl }) =>
    new URL(smtpUrl).username === '' ? undefined : 'SMTP_URL is no place for credentials: they go into SMTP_USER and SMTP_PASSWORD',
  (values) =>
    (values.smtpUser === undefined) === (values.smtpPassword === undefined) ? undefined : 'SMTP_USER and SMTP_PASSWORD go together',
  ({ notificationsKept, requestsKept }) =>
    notificationsKept < requestsKept
      ? 'NOTIFICATIONS_KEPT has to be no less than REQUESTS_KEPT: a repeated request answers its notification'
      : undefined,
  ({ mailLease }) => (mailLease < 2_000 ? 'MAIL_LEASE has to be 2s or more' : undefined),
  (values) =>
    values.gatehouseMode === 'production' && !values.tlsByMesh && values.smtpUrl.startsWith('smtp:') && !upgradesToTls(values)
      ? 'SMTP_STARTTLS=off sends mail in plaintext, which production mode refuses; or set TLS_BY_MESH=1 where something else encrypts it'
      : undefined,
]
