import { mkdir, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findNatsServer, type PostgresServer, startOwned, startPostgres } from '@gatehouse/testkit'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import type { Certificates } from './certificates.ts'

/** Postgres with TLS, on a port of its own. Answers how the superuser reaches it. */
export async function openPostgres(folder: string, certificates: Certificates, parts: AsyncDisposableStack): Promise<PostgresServer> {
  const server = parts.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, keep: false }))
  const { cert, key } = await certificates.issue('postgres')
  await asAdmin(server.url, async (admin) => {
    // The server writes both itself, into its own folder: its user is another than ours.
    for (const [name, pem] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const)
      await admin.query(`copy (select '${Buffer.from(pem).toString('base64')}') to program 'umask 077; base64 -d > ${name}'`)
    await admin.query('alter system set ssl = on')
    await admin.query('select pg_reload_conf()')
  })
  return server
}

/** What `psql` does with the file, for machines that have none. */
export async function psql(url: string, script: string): Promise<void> {
  const [before = '', after = ''] = script.split('\\connect gatehouse\n')
  const [roles = '', database = ''] = before.split(/^(?=select \$\$create database)/m)
  await asAdmin(url, async (admin) => {
    await admin.query(roles)
    const { rows } = await admin.query<[string]>({ text: database.replace('\\gexec', ''), rowMode: 'array' })
    // A database is made outside of any transaction, so that the statement goes alone.
    for (const [statement] of rows) await admin.query(statement)
  })
  await asAdmin(Object.assign(new URL(url), { pathname: '/gatehouse' }).href, (admin) => admin.query(after))
}

export async function asAdmin(url: string, act: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client(url)
  await admin.connect()
  try {
    await act(admin)
  } finally {
    await admin.end()
  }
}

/** nats-server with TLS on that port, and the accounts of the Secret. */
export async function openNats(
  folder: string,
  port: number,
  accounts: string,
  certificates: Certificates,
  parts: AsyncDisposableStack,
): Promise<void> {
  const { cert, key } = await certificates.issue('nats')
  const own = join(folder, 'nats')
  await mkdir(own)
  await writeFile(join(own, 'server.crt'), cert)
  await writeFile(join(own, 'server.key'), key, { mode: 0o600 })
  const config = {
    listen: `127.0.0.1:${port}`,
    jetstream: { store_dir: join(own, 'store') },
    tls: { cert_file: join(own, 'server.crt'), key_file: join(own, 'server.key') },
    ...(JSON.parse(accounts) as object),
  }
  await writeFile(join(own, 'nats.json'), JSON.stringify(config), { mode: 0o600 })
  const server = parts.use(
    await startOwned({
      command: await findNatsServer(),
      args: ['-c', join(own, 'nats.json')],
      stopSignal: 'SIGTERM',
      insistSignal: 'SIGKILL',
      graceMs: 10_000,
    }),
  )
  const ready = await server.line((line) => line.includes('Server is ready'), 10_000)
  if (ready === undefined) throw new Error(`nats-server did not start:\n${server.lastLines.join('\n')}`)
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
