import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { commandLineOf, waitUntilGone } from './owned-process.ts'
import { shortHash } from './postgres-home.ts'
import { startPostgres } from './postgres-server.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse pg '))
})
after(() => rm(folder, { recursive: true, force: true }))

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' })
    return rows[0]?.[0]
  } finally {
    await client.end()
  }
}

test('leaves nothing behind when it is not to be kept', async () => {
  const dataDir = join(folder, 'brief')
  {
    await using server = await startPostgres({ dataDir, durable: false, keep: false })
    assert.equal(await ask(server.url, 'select 1'), 1)
  }
  assert.equal((await readdir(folder)).includes('brief'), false)
  assert.deepEqual(
    (await readdir('/var/tmp')).filter((name) => name.endsWith(shortHash(dataDir))),
    [],
  )
})

test('keeps what was written across a stop and a start, under a path with spaces', async () => {
  const dataDir = join(folder, 'kept data')
  {
    await using server = await startPostgres({ dataDir })
    await ask(server.url, 'create table people (name text)')
    await ask(server.url, `insert into people values ('Ada')`)
    assert.equal(await ask(server.url, 'show fsync'), 'on')
  }
  await using server = await startPostgres({ dataDir, maxConnections: 40 })
  assert.equal(await ask(server.url, 'select name from people'), 'Ada')
  assert.equal(await ask(server.url, 'show max_connections'), '40')
  assert.equal(await ask(server.url, 'show listen_addresses'), '127.0.0.1')
  assert.equal(await ask(server.url, 'show unix_socket_directories'), '')
})

test('refuses a wrong password, also from this machine', async () => {
  await using server = await startPostgres({ dataDir: join(folder, 'scram'), durable: false })
  const url = server.url.replace(/:[^:@]*@/, ':guess@')
  await assert.rejects(ask(url, 'select 1'), { code: '28P01' })
  assert.equal(await ask(server.url, 'show fsync'), 'off')
})

test('refuses to share a cluster with a live owner', async () => {
  const dataDir = join(folder, 'shared')
  await using _first = await startPostgres({ dataDir, durable: false })
  await assert.rejects(startPostgres({ dataDir }), { name: 'SetupProblem', message: /already runs over .* started by process \d+/ })
})

test('names a taken port', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  assert.ok(address && typeof address === 'object')
  try {
    await assert.rejects(startPostgres({ dataDir: join(folder, 'port'), port: address.port, durable: false }), {
      name: 'SetupProblem',
      message: /Port \d+ for PostgreSQL is taken/,
    })
  } finally {
    taken.close()
  }
})

test('ends with an owner that is killed, and starts again over what it left', async () => {
  const dataDir = join(folder, 'killed owner')
  const program = `import { startPostgres } from ${JSON.stringify(import.meta.resolve('./postgres-server.ts'))}
    const server = await startPostgres({ dataDir: process.argv[1], durable: false })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [pid] = (await once(createInterface({ input: owner.stdout }), 'line', { signal: AbortSignal.timeout(20_000) })) as [string]
  assert.match((await commandLineOf(Number(pid))) ?? '', /postgres/)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  await using server = await startPostgres({ dataDir, durable: false })
  assert.notEqual(server.pid, Number(pid))
  assert.ok(await waitUntilGone(Number(pid), 'postgres', 1_000))
  assert.equal(await ask(server.url, 'select 1'), 1)
})

test('starts over a cluster whose server was killed', async () => {
  const dataDir = join(folder, 'killed server')
  const first = await startPostgres({ dataDir })
  await ask(first.url, 'create table kept ()')
  process.kill(first.pid, 'SIGKILL')
  const end = await first.exited
  assert.equal(end.expected, false)
  assert.match(await readFile(join(dataDir, 'postmaster.pid'), 'utf8'), new RegExp(`^${first.pid}\n`))
  await using second = await startPostgres({ dataDir, durable: false })
  assert.equal(await ask(second.url, 'select count(*)::int from kept'), 0)
})
