import assert from 'node:assert/strict'
import { chown, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connect } from '@gatehouse/postgres'
import { freePort, programForTest, startOwned, userForServers } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { managedPostgres, script } from './managed-postgres.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('the example of PgBouncer starts, speaks TLS, and passes on what the roles are bounded by', async (t) => {
  const program = await programForTest(t, 'pgbouncer')
  if (!program) return
  await using parts = new AsyncDisposableStack()
  const server = parts.use(await managedPostgres())
  await server.customer('owner', 'nocreatedb createrole', ['gatehouse'])
  await server.run('owner', 'gatehouse', await script('roles.sql'), await script('schemas.sql'))
  await server.givePassword('owner', 'gatehouse', 'gatehouse_user_a')
  const direct = new URL(server.url('gatehouse_user_a', 'gatehouse'))

  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-pgbouncer-example-'))
  parts.defer(() => rm(folder, { recursive: true, force: true }))
  const as = await userForServers()
  const port = await freePort()
  const ini = await readFile(join(root, 'deploy/examples/pgbouncer/pgbouncer.ini'), 'utf8')
  // Addresses and folders of this machine, and a server that has no certificate.
  const here = [
    ['host=postgres-rw port=5432', `host=127.0.0.1 port=${direct.port}`],
    ['listen_addr = 0.0.0.0', 'listen_addr = 127.0.0.1'],
    ['listen_port = 5432', `listen_port = ${port}`],
    ['/etc/pgbouncer/users/userlist.txt', join(folder, 'userlist.txt')],
    ['/etc/pgbouncer/tls/', `${folder}/`],
    ['server_tls_sslmode = verify-full', 'server_tls_sslmode = disable'],
    ['server_tls_ca_file = /etc/pgbouncer/trust/ca.crt\n', ''],
    ['listen_port', `${as ? `user = ${as.name}\n` : ''}listen_port`],
  ] as const
  const config = here.reduce(
    (text, [from, to]) => (text.includes(from) ? text.replaceAll(from, to) : assert.fail(`pgbouncer.ini has no ${from}`)),
    ini,
  )
  await writeFile(join(folder, 'pgbouncer.ini'), config)
  await writeFile(join(folder, 'userlist.txt'), `"${direct.username}" "${direct.password}"\n`)
  const tls = join(root, 'packages/rpc/testdata/tls')
  await copyFile(join(tls, 'house-leaf.pem'), join(folder, 'tls.crt'))
  await copyFile(join(tls, 'house-leaf-key.pem'), join(folder, 'tls.key'))
  if (as) for (const file of ['', 'pgbouncer.ini', 'userlist.txt', 'tls.crt', 'tls.key']) await chown(join(folder, file), as.uid, as.gid)
  const pooler = await startOwned({
    command: program.path,
    args: [join(folder, 'pgbouncer.ini')],
    stopSignal: 'SIGTERM',
    insistSignal: 'SIGKILL',
    graceMs: 2000,
    cwd: folder,
  })
  parts.defer(async () => void (await pooler.stop()))
  assert.ok(await pooler.line((line) => line.includes('process up'), 30_000), pooler.lastLines.join('\n'))

  const url = (more: string): string => {
    const through = new URL(`?${more}`, direct)
    return Object.assign(through, { port: String(port), hostname: 'localhost' }).href
  }
  const verified = `sslmode=verify-full&sslrootcert=${encodeURIComponent(join(tls, 'house-ca.pem'))}`
  await using database = connect<unknown>({ url: url(verified), poolSize: 2 })
  const { rows } = await sql<{ whom: string; path: string; bound: string }>`select current_user::text as whom,
    current_setting('search_path') as path, current_setting('statement_timeout') as bound`.execute(database.kysely)
  assert.deepEqual(rows, [{ whom: 'gatehouse_user_a', path: 'gatehouse_user', bound: '5s' }])
  // The second time a named statement is there already, on whichever connection to the server.
  await Promise.all([1, 2, 3, 4].map((number) => sql`select ${number}::integer`.execute(database.kysely)))
  await using inTheOpen = connect<unknown>({ url: url('sslmode=disable'), poolSize: 1 })
  await assert.rejects(sql`select 1`.execute(inTheOpen.kysely), /SSL required|unavailable|Connection terminated/i)
})
