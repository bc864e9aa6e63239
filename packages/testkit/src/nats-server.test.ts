import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { findNatsServer } from './nats-binary.ts'
import { natsServiceUsers } from './nats-permissions.ts'
import { startNats } from './nats-server.ts'
import { waitUntilGone } from './owned-process.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse nats '))
})
after(() => rm(folder, { recursive: true, force: true }))

const passwords = {
  user: 'u'.repeat(24),
  auth: 'a'.repeat(24),
  notification: 'n'.repeat(24),
  streams: 'k'.repeat(24),
  subscriber: 's'.repeat(24),
}
/** Ends with its server, since it does not reconnect: a failed test leaves nothing behind. */
const client = (url: string, user?: keyof typeof passwords) =>
  connect({ servers: url, reconnect: false, ...(user && { user, pass: passwords[user], inboxPrefix: `_INBOX.${user}` }) })

test('keeps a stream across a stop and a start, under a path with spaces', async () => {
  const storeDir = join(folder, 'kept streams')
  {
    await using server = await startNats({ storeDir })
    const nc = await client(server.url)
    await (await jetstreamManager(nc)).streams.add({ name: 'EVENTS', subjects: ['gatehouse.>'] })
    assert.equal((await jetstream(nc).publish('gatehouse.user.v1.UserCreated.default')).seq, 1)
  }
  await using server = await startNats({ storeDir })
  const nc = await client(server.url)
  assert.equal((await (await jetstreamManager(nc)).streams.info('EVENTS')).state.messages, 1)
})

test('lets each service publish its own subjects only, and a subscriber none', async () => {
  const storeDir = join(folder, 'users')
  await using server = await startNats({ storeDir, users: natsServiceUsers(passwords), streams: true })
  assert.equal((await stat(join(storeDir, 'gatehouse-nats.json'))).mode & 0o777, 0o600)
  await assert.rejects(client(server.url), { message: /Authorization Violation/ })

  const user = await client(server.url, 'user')
  const manager = await jetstreamManager(user, { checkAPI: false })
  assert.equal((await jetstream(user).publish('gatehouse.user.v1.UserCreated.default', 'x')).seq, 1)
  await assert.rejects(jetstream(user).publish('gatehouse.auth.v1.SignedIn.default'), { message: /Permissions Violation for Publish/ })
  await assert.rejects(manager.streams.purge('gatehouse-user'), { message: /Permissions Violation for Publish/ })

  const subscriber = await client(server.url, 'subscriber')
  await assert.rejects(jetstream(subscriber).publish('gatehouse.user.v1.UserCreated.default'), {
    message: /Permissions Violation for Publish/,
  })
  const watching = await jetstreamManager(subscriber)
  await assert.rejects(watching.streams.add({ name: 'MINE', subjects: ['mine'] }), { message: /Permissions Violation for Publish/ })
  await watching.consumers.add('gatehouse-user', { durable_name: 'reporting', ack_policy: 'explicit' })
  const message = await (await jetstream(subscriber).consumers.get('gatehouse-user', 'reporting')).next({ expires: 5_000 })
  assert.equal(message?.string(), 'x')
  assert.equal(await message?.ackAck(), true)
})

test('ends with an owner that is killed, and starts again over what it left', async () => {
  const storeDir = join(folder, 'killed owner')
  const program = `import { startNats } from ${JSON.stringify(import.meta.resolve('./nats-server.ts'))}
    const server = await startNats({ storeDir: process.argv[1] })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program, storeDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [pid] = (await once(createInterface({ input: owner.stdout }), 'line', { signal: AbortSignal.timeout(20_000) })) as [string]
  await assert.rejects(startNats({ storeDir }), { name: 'SetupProblem', message: /already runs over .* started by process \d+/ })
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  await using server = await startNats({ storeDir })
  assert.notEqual(server.pid, Number(pid))
  assert.ok(await waitUntilGone(Number(pid), 'nats-server', 1_000))
})

test('names a taken port', async () => {
  await using first = await startNats({ storeDir: join(folder, 'first') })
  await assert.rejects(startNats({ storeDir: join(folder, 'second'), port: first.port }), {
    name: 'SetupProblem',
    message: `Port ${first.port} for NATS is taken: free it, or choose another.`,
  })
})

test('passes over a nats-server on PATH that is too old, and says which it found', async () => {
  await writeFile(join(folder, 'nats-server'), '#!/bin/sh\necho nats-server: v2.9.10\n', { mode: 0o755 })
  const cacheDir = join(folder, 'nats-server', 'not a folder')
  await assert.rejects(findNatsServer({ path: folder, cacheDir }), {
    name: 'SetupProblem',
    message: /^The nats-server 2\.9\.10 at .* is too old \(2\.12\.12, or 2\.14\.3 and newer, is needed\)\..* Way out: /,
  })
})

test('takes a nats-server on PATH that is new enough', async () => {
  const own = await mkdtemp(join(folder, 'new '))
  await writeFile(join(own, 'nats-server'), '#!/bin/sh\necho nats-server: v2.14.3\n', { mode: 0o755 })
  assert.equal(await findNatsServer({ path: own }), join(own, 'nats-server'))
})
