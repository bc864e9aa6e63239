import { mkdir, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { prepareDatabase } from '@gatehouse/local'
import { findNatsServer, natsServiceUsers, type OwnedProcess, startOwned, startPostgres } from '@gatehouse/testkit'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import type { Certificates } from './certificates.ts'

type Passwords = Readonly<Record<'user' | 'auth' | 'notification', string>>

/** Postgres with TLS, a role and a schema for each service. Answers where it is. */
export async function openPostgres(
  folder: string,
  passwords: Passwords,
  certificates: Certificates,
  parts: AsyncDisposableStack,
): Promise<string> {
  const server = parts.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, keep: false }))
  await prepareDatabase(server.url, passwords)
  const { cert, key } = await certificates.issue('postgres')
  const admin = new pg.Client(server.url)
  await admin.connect()
  try {
    // The server writes both itself, into its own folder: its user is another than ours.
    for (const [name, pem] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const)
      await admin.query(`copy (select '${Buffer.from(pem).toString('base64')}') to program 'umask 077; base64 -d > ${name}'`)
    await admin.query('alter system set ssl = on')
    await admin.query('select pg_reload_conf()')
  } finally {
    await admin.end()
  }
  return `localhost:${server.port}`
}

/** nats-server with TLS, and a user for each service that may do what it has to. */
export async function openNats(
  folder: string,
  passwords: Passwords & { readonly subscriber: string },
  certificates: Certificates,
  parts: AsyncDisposableStack,
): Promise<string> {
  const { cert, key } = await certificates.issue('nats')
  const own = join(folder, 'nats')
  await mkdir(own)
  await writeFile(join(own, 'server.crt'), cert)
  await writeFile(join(own, 'server.key'), key, { mode: 0o600 })
  const users = natsServiceUsers(passwords).map(({ name: user, ...more }) => ({ user, ...more }))
  const config = {
    host: '127.0.0.1',
    port: -1,
    jetstream: { store_dir: join(own, 'store') },
    tls: { cert_file: join(own, 'server.crt'), key_file: join(own, 'server.key') },
    accounts: { GATEHOUSE: { jetstream: 'enabled', users } },
  }
  await writeFile(join(own, 'nats.json'), JSON.stringify(config), { mode: 0o600 })
  const said: string[] = []
  const server: OwnedProcess = parts.use(
    await startOwned({
      command: await findNatsServer(),
      args: ['-c', join(own, 'nats.json')],
      stopSignal: 'SIGTERM',
      insistSignal: 'SIGKILL',
      graceMs: 10_000,
      log: (line) => void said.push(line),
    }),
  )
  await server.line((line) => line.includes('Server is ready'), 10_000)
  const port = /client connections on 127\.0\.0\.1:(\d+)/.exec(said.join('\n'))?.[1]
  if (port === undefined) throw new Error(`nats-server did not start:\n${said.join('\n')}`)
  return `localhost:${port}`
}

/** A mail relay that asks for TLS and a password. */
export async function openRelay(
  password: string,
  certificates: Certificates,
  parts: AsyncDisposableStack,
): Promise<{ readonly place: string; readonly mails: string[] }> {
  const mails: string[] = []
  const server = new SMTPServer({
    ...(await certificates.issue('mail')),
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    onAuth: (given, _, done) =>
      given.username === 'gatehouse' && given.password === password ? done(null, { user: 'gatehouse' }) : done(new Error('refused')),
    onData(stream, _, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString('utf8'))
        done()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  parts.defer(() => new Promise((resolve) => server.close(() => resolve())))
  return { place: `localhost:${(server.server.address() as AddressInfo).port}`, mails }
}
