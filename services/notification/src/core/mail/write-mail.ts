import MimeNode from 'nodemailer/lib/mime-node'
import { quotedPrintable } from './quoted-printable.ts'

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

/** Who writes. */
export interface Sender {
  readonly from: { readonly name: string; readonly address: string }
  /** What readers of optional mails can do to get no more: `mailto:` or `https:` (RFC 2369). */
  readonly unsubscribe?: string | undefined
}

/** A mail as bytes, with the envelope that carries it. */
export interface WrittenMail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly messageId: string
  readonly bytes: Buffer
}

/**
 * Writes a mail whole, in one piece. Headers are nodemailer's, which lets nothing in a value become another header; its streams for the parts, made
 * for attachments of any size, cost as much as all the rest of a delivery, and ours fit in one buffer.
 */
export function writeMail({ deliveryId, to, subject, html, text, optional }: OutgoingMail, { from, unsubscribe }: Sender): WrittenMail {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const messageId = `<${deliveryId}@${domain}>`
  const head = new MimeNode('multipart/alternative')
  head.setHeader({
    from,
    // As an object: the address is taken as it is, and never parsed as a list.
    to: { name: '', address: to },
    subject,
    'message-id': messageId,
    // RFC 3834: no out-of-office answers.
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    ...(optional && unsubscribe && { 'List-Unsubscribe': `<${unsubscribe}>` }),
  })
  const headers = head.buildHeaders()
  const { from: sender, to: recipients } = head.getEnvelope()
  const parts = [partOf('plain', text), partOf('html', html)].map((part) => `--${head.boundary}\r\n${part}\r\n`)
  const bytes = Buffer.from(`${headers}\r\n\r\n${parts.join('')}--${head.boundary}--\r\n`, 'latin1')
  return { envelope: { from: sender || from.address, to: recipients }, messageId, bytes }
}

/** Quoted-printable whatever is in it: lines stay short, and no text can say a boundary, whose `=` has no two digits behind it. */
function partOf(subtype: string, content: string): string {
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(content)}`
}
