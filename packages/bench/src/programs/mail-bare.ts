import { createTransport } from 'nodemailer'
import { answerParent, type CommonActs } from './answer-parent.ts'

/** What is sent to whom. */
export interface BareMailOrder {
  readonly port: number
  readonly connections: number
  readonly from: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly mails: readonly { readonly to: string; readonly html: string; readonly text: string }[]
}

/** nodemailer's pool and nothing else: no database, no peers, no templates. */
export interface MailBareActs extends CommonActs {
  /** Sends all; the mail server knows how long it took. */
  send(order: BareMailOrder): Promise<void>
}

answerParent<Omit<MailBareActs, 'usage'>>({
  async send({ port, connections, from, subject, mails }) {
    const transport = createTransport({
      pool: true,
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
      maxConnections: connections,
      // By default a connection is given up after a hundred mails, and its place stays empty for a while.
      maxMessages: Number.POSITIVE_INFINITY,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    let next = 0
    // One mail on the wire and one behind it for each connection, so that none waits for us.
    const lane = async (): Promise<void> => {
      for (let mail = mails[next++]; mail; mail = mails[next++]) {
        await transport.sendMail({ from, to: { name: '', address: mail.to }, subject, html: mail.html, text: mail.text })
      }
    }
    await Promise.all(Array.from({ length: 2 * connections }, lane))
    transport.close()
  },
})
