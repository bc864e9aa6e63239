// `npm start` as a person uses it: run by CI (npm run verify), because it takes two whole starts. Free ports and a state folder of its own.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePorts } from '@gatehouse/local'
import { until } from './house.ts'
import { runQuickStart } from './quick-start.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('npm start starts, does what the README says, keeps what it learned, names a taken port and a crashed child, and stops cleanly', {
  timeout: 300_000,
}, async (t) => {
  const ports = await freePorts()
  const state = await mkdtemp(join(tmpdir(), 'gatehouse-start-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  const { user, auth, notification } = ports.services
  const env = {
    ...process.env,
    STATE_FOLDER: state,
    ORIGIN_PORT: `${ports.origin}`,
    SMTP_PORT: `${ports.smtp}`,
    USER_GRPC_PORT: `${user.grpc}`,
    USER_WEB_PORT: `${user.web}`,
    USER_METRICS_PORT: `${user.metrics}`,
    AUTH_GRPC_PORT: `${auth.grpc}`,
    AUTH_WEB_PORT: `${auth.web}`,
    AUTH_METRICS_PORT: `${auth.metrics}`,
    NOTIFICATION_GRPC_PORT: `${notification.grpc}`,
    NOTIFICATION_WEB_PORT: `${notification.web}`,
    NOTIFICATION_METRICS_PORT: `${notification.metrics}`,
  }
  function start() {
    const child = spawn('npm', ['start'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    t.after(() => child.exitCode === null && child.signalCode === null && process.kill(-(child.pid ?? 0), 'SIGINT'))
    return {
      said: () => said,
      ended,
      ready: () => until('ready', () => (/\bready\b/.test(said) ? true : child.exitCode === null ? undefined : assert.fail(said)), 120_000),
      // Ctrl-C reaches the whole foreground group.
      interrupt: () => process.kill(-(child.pid ?? 0), 'SIGINT'),
    }
  }
  const api = `http://localhost:${ports.origin}/api/users`
  const token = async () => (await readFile(join(state, 'admin-token'), 'utf8')).trim()

  const first = start()
  await first.ready()
  assert.equal((await stat(join(state, 'admin-token'))).mode & 0o777, 0o600)
  const created = await fetch(api, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ name: 'Bert', email: 'bert@example.com' }),
  })
  assert.equal(created.status, 201)
  await runQuickStart({ originPort: ports.origin, state, env })
  await smoke(`http://localhost:${ports.origin}`)

  const second = start()
  assert.equal(await second.ended, 1)
  assert.match(second.said(), /seems to run here already/)

  first.interrupt()
  // npm itself ends by the signal; what counts is that everything behind it was stopped in order.
  await first.ended
  assert.match(first.said(), /stopping …\n$/)
  await assert.rejects(fetch(api))

  const third = start()
  await third.ready()
  const found = (await (
    await fetch(`${api}:search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
      body: JSON.stringify({ query: 'bert@' }),
    })
  ).json()) as { users: { name: string }[] }
  assert.deepEqual(
    found.users.map(({ name }) => name),
    ['Bert'],
  )
  // A service that dies by itself is named, with its last lines, and started again; one that keeps dying ends the whole, in order.
  const died = /The user service ended by itself \(SIGKILL\)\. Its last lines:/
  process.kill(await pidListening(user.grpc), 'SIGKILL')
  await until(
    'user to be ready again',
    () => (died.test(third.said()) && /user service is ready again/.test(third.said()) ? true : undefined),
    60_000,
  )
  for (let times = 2; times <= 4; times++) {
    const pid = await until('user to listen', () => pidListening(user.grpc).catch(() => undefined))
    process.kill(pid, 'SIGKILL')
    if (times < 4)
      await until('user to be ready again', () => (third.said().split('is ready again').length > times ? true : undefined), 60_000)
  }
  assert.equal(await third.ended, 1)
})

/** What tries a cluster says here too that all is well. */
async function smoke(origin: string): Promise<void> {
  for (const args of [[], ['--for', '1']]) {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'deploy/kind/smoke.mjs'), ...args], {
      env: { ...process.env, ORIGIN: origin },
    })
    assert.match(stdout, args.length === 0 ? /refreshed, and signed out\n$/ : /^[1-9]\d* calls in 1 s, 0 failed\n$/)
  }
  await assert.rejects(
    promisify(execFile)(process.execPath, [join(root, 'deploy/kind/smoke.mjs'), '--for', '1'], {
      env: { ...process.env, ORIGIN: 'http://localhost:1' },
    }),
  )
}

/** The process that listens on a port of 127.0.0.1, by /proc. */
async function pidListening(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const line = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .find((each) => new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} \\S+ 0A `).test(each))
  const inode = line?.trim().split(/\s+/)[9]
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) === `socket:[${inode}]`) return Number(pid)
    }
  }
  throw new Error(`nobody listens on ${port}`)
}
