import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats } from '@gatehouse/events'
import { createWorkloadSigner } from '@gatehouse/identity'
import { peerTransport } from '@gatehouse/rpc'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { MsgHdrsImpl } from '@nats-io/transport-node'
import { alertRules, labelsIn, metricsIn, seriesIn } from './alert-rules.ts'
import { allPublished, asSuperuser } from './as-superuser.ts'
import { calls, everyCommand, exitCode } from './exit-codes.ts'
import { type House, openHouse, until } from './house.ts'
import { operate } from './operate.ts'

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

const services = ['user', 'auth', 'notification'] as const
const published = () => allPublished(house.local.postgresUrl)

test('the doctor finds every service well, and prints no secret', async () => {
  for (const service of services) {
    const seen = await operate(house.local, service, 'doctor')
    assert.equal(seen.failure, undefined, seen.out)
    assert.doesNotMatch(seen.out, /^ {2}(WRONG|note)/m)
    const { DATABASE_URL = '', NATS_URL = '', ...others } = house.local.environment(service)
    const secrets = [new URL(DATABASE_URL).password, new URL(NATS_URL).password, others.REQUEST_KEY, others.AUTH_KEY_ENCRYPTION_KEY]
    for (const secret of secrets) assert.ok(secret === undefined || (secret.length > 20 && !seen.out.includes(secret)))
  }
})

test('the doctor of one service is asked for by name in the shell of one, and its exit code tells', async () => {
  await assert.rejects(house.local.gatehouse('user', 'doctor'), { code: 2, stderr: /Of which service is DATABASE_URL\?/ })
  await assert.rejects(house.local.gatehouse('auth', 'doctor', 'user'), {
    code: 1,
    stdout: /works in the schema gatehouse_auth and not in gatehouse_user/,
  })
})

test('the doctor says what is wrong with a server that is away, a role, a key or a peer, and what to do', async () => {
  const { local } = house
  const at = 'user:a-secret-word@127.0.0.1:1'
  const away = await operate(local, 'user', 'doctor', {
    DATABASE_URL: `postgres://${at}/gatehouse`,
    NATS_URL: `nats://${at}`,
    AUTH_URL: '127.0.0.1:1',
  })
  assert.match(
    away.out,
    /WRONG {2}Postgres at 127\.0\.0\.1:1\/gatehouse cannot be reached: .*ECONNREFUSED.*\n +→ start it, or mend DATABASE_URL/,
  )
  assert.match(away.out, /WRONG {2}NATS at 127\.0\.0\.1:1 cannot be reached: .*refused\n +→ start it, or mend NATS_URL/)
  assert.match(away.out, /WRONG {2}auth at 127\.0\.0\.1:1 does not answer/)
  assert.equal(away.failure, 'user: 3 of 5 findings are wrong.', away.out)
  const superuser = await operate(local, 'user', 'doctor', { DATABASE_URL: local.postgresUrl.replace(/postgres$/, 'gatehouse') })
  assert.match(superuser.out, /WRONG {2}the role postgres is superuser, createrole, createdb\n +→ alter role postgres nosuperuser/)
  const wrongPassword = await operate(local, 'auth', 'doctor', {
    NATS_URL: local.environment('user').NATS_URL?.replace(/:[\w-]+@/, ':a-secret-word@') ?? '',
  })
  assert.match(wrongPassword.out, /WRONG {2}NATS at .* cannot be reached: .*uthorization/)
  const stranger = await operate(local, 'notification', 'doctor', { WORKLOAD_KEY_FILE: local.keyFile('example') })
  assert.match(stranger.out, /WRONG {2}WORKLOAD_KEY_FILE is the key of example/)
  const locked = await operate(local, 'auth', 'doctor', { AUTH_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 'another key').toString('base64') })
  assert.match(locked.out, /WRONG {2}AUTH_KEY_ENCRYPTION_KEY does not open 2 keys of tenant default/)
  for (const { out, failure } of [away, superuser, wrongPassword, stranger, locked])
    assert.ok(failure !== undefined && !out.includes('a-secret-word'), out)
})

test('the doctor of a service with the NATS user of another says whose it is', async () => {
  const { NATS_URL = '' } = house.local.environment('user')
  const { out, failure } = await operate(house.local, 'auth', 'doctor', { NATS_URL })
  assert.match(
    out,
    /WRONG {2}the NATS user of NATS_URL may not publish the events of auth, but those of user\n +→ NATS_URL has to name the user of auth/,
  )
  assert.match(failure ?? '', /^auth: 1 of \d+ findings is wrong\.$/)
})

test('every command ends with 2 when it is called wrongly, and with 1 when what it is asked for is not there', async () => {
  assert.deepEqual(Object.keys(calls).sort(), [...new Set(everyCommand.map(({ command }) => command.name))].sort())
  for (const owned of everyCommand) {
    const { vain, env, wrong = [] } = calls[owned.command.name] ?? assert.fail(owned.command.name)
    const codes = {
      flag: await exitCode(house.local, owned, [...vain, '--nonsense']),
      words: await exitCode(house.local, owned, wrong),
      vain: await exitCode(house.local, owned, vain, env),
    }
    assert.deepEqual(codes, { flag: 2, words: 2, vain: 1 }, `${owned.service}: ${owned.command.name}`)
  }
})

test('a service that does not have the command is told which have it', async () => {
  await assert.rejects(house.local.gatehouse('user', 'dead-letters', 'list', 'user'), {
    code: 2,
    stderr: 'gatehouse: user has no such command. gatehouse dead-letters list auth | notification\n',
  })
})

test('a workload key is rotated by commands: calls with the new one are taken, and with the old one until it is retired', async () => {
  const { jwksFile, keyFile, ports } = house.local
  const [key, kept] = [keyFile('example'), `${keyFile('example')}.before`]
  await copyFile(key, kept)
  await using transports = new AsyncDisposableStack()
  const caller = async (file: string) => {
    const url = `127.0.0.1:${ports.services.auth.grpc}`
    const client = createClient(
      IssuerService,
      transports.use(peerTransport({ target: 'auth', url, signer: await createWorkloadSigner(file) })),
    )
    return () =>
      client.listIssuers({}).then(
        () => 'taken',
        (error) => Code[ConnectError.from(error).code],
      )
  }
  const old = await caller(kept)
  assert.equal(await old(), 'taken')
  const told = await operate(house.local, 'auth', 'workload-keys rotate', '--jwks', jwksFile, '--key', key)
  const [, kid = ''] =
    /^example-\S+ is the key of example\nin two minutes: gatehouse workload-keys retire (\S+) --jwks/.exec(told.out) ?? []
  const fresh = await caller(key)
  assert.deepEqual([await fresh(), await old()], ['taken', 'taken'])
  assert.equal((await operate(house.local, 'auth', 'workload-keys retire', kid, '--jwks', jwksFile)).failure, undefined)
  await until('the old key to be refused', async () => (await old()) === 'Unauthenticated' || undefined)
  assert.equal(await fresh(), 'taken')
  const listed = (await operate(house.local, 'auth', 'workload-keys list', '--jwks', jwksFile)).out
  assert.deepEqual([listed.match(/\texample$/gm)?.length, listed.includes(kid)], [1, false])
})

test('the doctor compares streams and consumers with what they were asked to be, and the database with its stream', async () => {
  const { local } = house
  await using nats = connectNats({ url: local.environment('user').NATS_URL ?? '', name: 'somebody' })
  const { streams } = await jetstreamManager(await nats.connected(), { checkAPI: false })
  await streams.update('gatehouse-user', { max_bytes: 2 ** 20 })
  await house.person('known@example.com')
  await until('it to be published', published)
  const changed = await operate(local, 'user', 'doctor')
  assert.match(changed.out, /WRONG {2}the stream gatehouse-user has max_bytes 1048576 instead of 1073741824\n +→ restart user/)
  const status = await operate(local, 'user', 'outbox status')
  assert.match(
    status.out,
    /^waiting +nothing\npublished +up to position \d+, .*\nkept +since .*\nrelay +\S+ publishes \(epoch \d+\)\nstream +gatehouse-user .* it has max_bytes 1048576/,
  )
  await streams.update('gatehouse-user', { max_bytes: 2 ** 30 })
  await house.person('unknown-to-the-database@example.com')
  await until('it to be published', published)
  const forgotten = await asSuperuser(local.postgresUrl, (client) =>
    client.query('delete from gatehouse_user.outbox where position = (select max(position) from gatehouse_user.outbox) returning id'),
  )
  const older = await operate(local, 'user', 'doctor')
  assert.match(
    older.out,
    new RegExp(`WRONG {2}the stream.s last event \\(${forgotten.rows[0]?.id}, .*is not in the outbox: the database is older than NATS`),
  )
  assert.match(older.out, /→ stop the services, start NATS empty/)
})

test('an event that cannot be handled is listed and shown without its body, tried again by the running service, and dropped', async () => {
  const { local } = house
  await using nats = connectNats({ url: local.environment('user').NATS_URL ?? '', name: 'somebody' })
  const headers = MsgHdrsImpl.fromRecord({
    'ce-id': ['poison\u001b[2J'],
    'ce-subject': ['nobody'],
    'ce-sequence': ['1'],
    traceparent: [`00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`],
  })
  const garbage = new TextEncoder().encode('\u00ff a secret that is no event')
  await jetstream(await nats.connected()).publish('gatehouse.user.v1.UserDeleted.default', garbage, { headers })
  const list = async () => (await operate(local, 'auth', 'dead-letters list')).out
  const listed = await until('it to be put aside', async () => (await list()) || undefined)
  assert.match(
    listed,
    /^poison \[2J\t\S+Z\tgatehouse\.user\.v1\.UserDeleted\tdefault\t1 tries\tthe body is no gatehouse\.user\.v1\.UserDeleted\n$/,
  )
  const id = 'poison\u001b[2J'
  const shown = await operate(local, 'auth', 'dead-letters show', id)
  assert.match(shown.out, /^event +gatehouse\.user\.v1\.UserDeleted of nobody, version 1, tenant default/m)
  assert.match(shown.out, /^body +\d+ bytes that are no gatehouse\.user\.v1\.UserDeleted$/m)
  assert.match(shown.out, /^stack id +[0-9a-f]{12} /m)
  assert.match(shown.out, /^trace id +abab/m)
  const vain = await operate(local, 'auth', 'dead-letters retry', id)
  assert.match(vain.out, /^0 handled\npoison \[2J failed again: PermanentFailure: the body is no/)
  assert.equal(vain.failure, '1 of 1 were not handled.')
  assert.match((await operate(local, 'auth', 'doctor')).out, /WRONG {2}an event was put aside/)

  assert.match((await operate(local, 'user', 'doctor')).out, /WRONG {2}the stream.s last event \(poison \[2J, .*is not in the outbox/)

  // The cause is mended: here, the body.
  const { userId } = await house.person('deleted@example.com')
  const body = Buffer.from(toBinary(UserDeletedSchema, create(UserDeletedSchema, { userId, version: 9n })))
  await asSuperuser(local.postgresUrl, (client) => client.query('update gatehouse_auth.dead_letters set payload = $1', [body]))
  const mended = await operate(local, 'auth', 'dead-letters retry', '--all')
  assert.deepEqual([mended.out, mended.failure], ['1 handled\n', undefined])
  assert.equal(await list(), '')

  const dropped =
    (await until(
      'notification to have put it aside too',
      async () => (await operate(local, 'notification', 'dead-letters list')).out || undefined,
    )) !== ''
  assert.ok(dropped)
  assert.match(
    (await operate(local, 'notification', 'dead-letters drop', 'another')).failure ?? '',
    /notification has no dead letter another/,
  )
  assert.ok((await operate(local, 'notification', 'dead-letters drop')).failure !== undefined)
  const gone = await operate(local, 'notification', 'dead-letters drop', id)
  const line = JSON.parse(gone.err) as Record<string, string>
  assert.equal(line.msg, 'a dead letter was dropped by an operator')
  assert.deepEqual(
    [line.service, line.id, line.key, line.reason],
    ['notification', id, 'nobody', 'the body is no gatehouse.user.v1.UserDeleted'],
  )
  assert.match(line.by ?? '', /@/)
})

test('user and notification follow the limits that tenants set', async () => {
  for (const name of ['user', 'notification'] as const) {
    const metrics = await (await fetch(`http://127.0.0.1:${house.local.ports.services[name].metrics}/metrics`)).text()
    assert.match(metrics, /^gatehouse_limits_connected(\{.*\})? 1$/m, name)
  }
})

test('every metric and label of an alert rule is exposed, and the page says of every rule what to do', async () => {
  const expositions = await Promise.all(
    services.map(async (name) => await (await fetch(`http://127.0.0.1:${house.local.ports.services[name].metrics}/metrics`)).text()),
  )
  const exposed = new Set(expositions.flatMap(seriesIn))
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('### By alert'), page.indexOf('### By metric'))
  const headings = [...section.matchAll(/^#### (\w+)$/gm)].map(([, name = '']) => name)
  assert.deepEqual(
    alertRules()
      .map(({ alert }) => alert)
      .sort(),
    headings.sort(),
  )
  for (const { alert, expr, labels, annotations, ...rule } of alertRules()) {
    const names = metricsIn(expr)
    assert.ok(names.length > 0, alert)
    assert.deepEqual(
      names.filter((name) => !exposed.has(name)),
      [],
      `${alert} reads what nobody exposes`,
    )
    const known = expositions.join('\n')
    assert.deepEqual(
      labelsIn(expr).filter((label) => !known.includes(`${label}="`)),
      [],
      `${alert} selects by labels that nobody has`,
    )
    assert.match(rule.for, /^\d+[smh]$/)
    assert.match(labels.severity, /^(page|ticket)$/)
    assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    assert.ok(annotations.summary.length > 10)
  }
})
