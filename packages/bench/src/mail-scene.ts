import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, cores, startChild } from './child.ts'
import type { House } from './house.ts'
import type { Reader } from './people.ts'
import { pin, postmasterOf } from './processes.ts'
import type { MailBareActs } from './programs/mail-bare.ts'
import type { MailSinkActs, SunkMail } from './programs/mail-sink.ts'
import type { PasswordFactsActs } from './programs/password-facts.ts'
import { startReplica } from './replica.ts'
import { root } from './results.ts'

/** SMTP connections of both sides. */
export const connections = 12

/** The notification service on a core of its own before a mail server that takes everything, and nodemailer's pool before the same one. */
export interface MailScene extends AsyncDisposable {
  /** Commits one fact for each reader at once; answers the mails a second, from the first accepted one to the last. */
  backlog(readers: readonly Reader[]): Promise<number>
  /** Commits one fact for each reader in even steps; answers the milliseconds of each from the commit until its mail was accepted. */
  steady(readers: readonly Reader[], perSecond: number): Promise<readonly number[]>
  /** Sends each reader a mail of the same text and shape; answers the mails a second. */
  bare(readers: readonly Reader[]): Promise<number>
  /** Size of the last mail. */
  mailBytes(): number
}

/** The house's own notification service rests meanwhile. */
export async function openMailScene({ local }: House): Promise<MailScene> {
  await using opening = new AsyncDisposableStack()
  await pin(await postmasterOf(local.postgresUrl), cores.client)
  const sink = opening.use(await startChild<MailSinkActs>('mail-sink', cores.client))
  const port = await sink.call('listen')
  const { DATABASE_URL: databaseUrl = '', NATS_URL: natsUrl = '' } = local.environment('auth')
  await local.stopService('notification')
  opening.defer(() => local.startService('notification'))
  opening.use(
    await startReplica(local, 'notification', cores.server, {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      SMTP_CONNECTIONS: String(connections),
    }),
  )
  const facts = opening.use(await startChild<PasswordFactsActs>('password-facts', cores.client))
  await facts.call('open', { databaseUrl, natsUrl })
  const bare: Child<MailBareActs> = opening.use(await startChild<MailBareActs>('mail-bare', cores.server))
  const fill = await templateOf('password_changed')
  let mailBytes = 0

  const taken = async (readers: readonly Reader[]): Promise<ReadonlyMap<string, SunkMail>> => {
    const mails = checked(readers, await sink.call('take', readers.length))
    mailBytes = mails.values().next().value?.bytes ?? 0
    return mails
  }
  const owned = opening.move()
  return {
    async backlog(readers) {
      await facts.call('tellAtOnce', idsOf(readers))
      return rateOf(await taken(readers))
    },
    async steady(readers, perSecond) {
      const commits = await facts.call('tellSteadily', { userIds: idsOf(readers), perSecond })
      const mails = await taken(readers)
      return readers.map(({ email }, number) => (mails.get(email)?.time ?? Number.NaN) - (commits[number] ?? Number.NaN))
    },
    async bare(readers) {
      const mails = readers.map(({ email, name }) => ({ to: email, ...fill(name) }))
      const from = { name: 'Gatehouse', address: 'gatehouse@localhost.localdomain' }
      await bare.call('send', { port, connections, from, subject: 'Your password was changed', mails })
      return rateOf(await taken(readers))
    },
    mailBytes: () => mailBytes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const idsOf = (readers: readonly Reader[]): readonly string[] => readers.map(({ id }) => id)

/** Every reader has one mail, which greets them. */
function checked(readers: readonly Reader[], mails: readonly SunkMail[]): ReadonlyMap<string, SunkMail> {
  const byReader = new Map(mails.map((mail) => [mail.to, mail]))
  if (mails.length !== readers.length || byReader.size !== readers.length)
    throw new Error(`${mails.length} mails to ${byReader.size} readers, where ${readers.length} should have one each`)
  if (new Set(mails.map(({ messageId }) => messageId)).size !== mails.length) throw new Error('two mails with one Message-ID')
  for (const { email, name } of readers) {
    const greeted = byReader.get(email)?.greeted
    if (greeted !== name) throw new Error(`the mail to ${email} greets ${greeted ?? 'nobody'} and not ${name}`)
  }
  return byReader
}

function rateOf(mails: ReadonlyMap<string, SunkMail>): number {
  const times = [...mails.values()].map(({ time }) => time).sort((a, b) => a - b)
  return ((times.length - 1) * 1000) / ((times.at(-1) ?? Number.NaN) - (times[0] ?? Number.NaN))
}

/** Our own mail with its fields filled in by hand: both sides send the same text in the same shape. */
async function templateOf(name: string): Promise<(reader: string) => { html: string; text: string }> {
  const read = (kind: string) => readFile(join(root, 'services/notification/templates/compiled', `${name}.en.${kind}`), 'utf8')
  const [html, text] = [await read('html'), (await read('txt')).replace(/^Subject: .*\n\n/, '')]
  const filled = (template: string, reader: string) =>
    template
      .replaceAll(/\{\{#if name\}\}|\{\{\/if\}\}/g, '')
      .replaceAll('{{name}}', reader)
      .replaceAll('{{brand}}', 'Gatehouse')
      .replaceAll('{{origin}}', 'http://localhost:8080')
  return (reader) => ({ html: filled(html, reader), text: filled(text, reader) })
}
