import assert from 'node:assert/strict'
import { copyFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats } from '@gatehouse/events'
import { createWorkloadSigner } from '@gatehouse/identity'
import { secretsOf } from '@gatehouse/local'
import { expressions, ruleFiles } from '@gatehouse/observability'
import { peerTransport } from '@gatehouse/rpc'
import { type Collector, programForTest, startCollector } from '@gatehouse/testkit'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { MsgHdrsImpl } from '@nats-io/transport-node'
import { labelsIn, metricsIn, seriesIn } from './alert-rules.ts'
import { allPublished, asSuperuser } from './as-superuser.ts'
import { calls, everyCommand, exitCode } from './exit-codes.ts'
import { type House, openHouse, until } from './house.ts'
import { operate } from './operate.ts'
import { startPrometheus } from './prometheus.ts'

let collector: Collector
let house: House
before(async () => {
  collector = await startCollector()
  const seen = { OTLP_ENDPOINT: collector.endpoint, TRACE_SAMPLE_RATIO: '1' }
  house = await openHouse({ extra: { user: seen, auth: seen, notification: seen } })
})
after(async () => {
  await house?.[Symbol.asyncDispose]()
  await collector?.[Symbol.asyncDispose]()
})

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

test('the doctor compares streams and consumers with what they have to be, and the database with its stream', async () => {
  const { local } = house
  const keeper = Object.assign(new URL(local.natsUrl), { username: 'streams', password: (await secretsOf(house.folder)).nats.streams }).href
  await using nats = connectNats({ url: keeper, name: 'somebody' })
  const { streams } = await jetstreamManager(await nats.connected(), { checkAPI: false })
  await streams.update('gatehouse-user', { max_msg_size: 2 ** 16 })
  await house.person('known@example.com')
  await until('it to be published', published)
  const changed = await operate(local, 'user', 'doctor')
  assert.match(
    changed.out,
    /WRONG {2}the stream gatehouse-user has max_msg_size 65536 instead of 131072\n +→ gatehouse migrate user sets it right/,
  )
  const status = await operate(local, 'user', 'outbox status')
  assert.match(
    status.out,
    /^waiting +nothing\npublished +up to position \d+, .*\nkept +since .*\nrelay +\S+ publishes \(epoch \d+\)\nstream +gatehouse-user .* it has max_msg_size 65536/,
  )
  // By whoever has the service's user it cannot be set right; by the other it is.
  const refused = await operate(local, 'user', 'migrate')
  assert.equal(refused.failure, 'gatehouse-user has to be changed, and this user of NATS may not: NATS_URL has to name the user streams.')
  assert.equal(
    (await operate({ ...local, environment: (name) => ({ ...local.environment(name), NATS_URL: keeper }) }, 'user', 'migrate')).out,
    'gatehouse_user is up to date\ngatehouse-user was changed\n',
  )
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
    'ce-type': ['gatehouse.user.v1.UserDeleted'],
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

const exposition = async (name: (typeof services)[number]) =>
  await (await fetch(`http://127.0.0.1:${house.local.ports.services[name].metrics}/metrics`)).text()

test('every metric and label that rules and dashboards read is exposed', async () => {
  // A mail, a program that is refused, and a call that takes too long: what has never happened has no series.
  await house.call('AccountService/SignUp', { email: 'seen@example.com', password: 'correct horse battery staple!', name: 'Ada' })
  await house.mailTo('seen@example.com')
  await house.call('/oidc/token', 'grant_type=client_credentials&client_id=nobody&client_secret=x', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  await until('a call that took too long', async () => {
    await house.call('UserService/ListUsers', {}, { token: await house.adminToken(), headers: { 'connect-timeout-ms': '1' } })
    return (await exposition('user')).includes('error_type="DEADLINE_EXCEEDED"') || undefined
  })
  await until('the mail to be counted', async () => (await exposition('notification')).includes('gatehouse_mail_delay_count') || undefined)
  const all = await Promise.all(services.map(exposition))
  const exposed = new Set(all.flatMap(seriesIn))
  for (const { where, expr } of expressions()) {
    const isRecorded = (name: string) => name.startsWith('gatehouse:')
    assert.deepEqual(
      metricsIn(expr).filter((name) => !exposed.has(name) && !isRecorded(name)),
      [],
      `${where} reads what nobody exposes`,
    )
    const known = all.join('\n')
    assert.deepEqual(
      labelsIn(expr).filter((label) => !known.includes(`${label}="`)),
      [],
      `${where} selects by labels that nobody has`,
    )
  }
})

test('a real Prometheus scrapes the services, evaluates every expression and finds what each reads; nothing is on fire', async (t) => {
  const program = await programForTest(t, 'prometheus')
  if (!program) return
  const jobs = Object.fromEntries(services.map((name) => [name, house.local.ports.services[name].metrics]))
  await using prometheus = await startPrometheus({ program: program.path, jobs, ruleFiles: ruleFiles.map((file) => fileURLToPath(file)) })
  await assert.rejects(prometheus.ask('sum(rate(up))'), /range vector/)
  for (const { expr, where } of expressions()) {
    await prometheus.ask(expr)
    for (const name of metricsIn(expr)) assert.ok((await prometheus.ask(name)).length > 0, `${where}: Prometheus has no ${name}`)
  }
  // Bounds have to be found as this Prometheus writes them.
  await until('the share of calls that are fast', async () => {
    const seen = await prometheus.ask('gatehouse:slo_bad:ratio_rate5m{slo="calls_fast",job="auth"}')
    return (seen.length === 1 && Number(seen[0]?.value[1]) < 1) || undefined
  })
  await until('every objective to be recorded', async () => {
    const allowed = await prometheus.ask('gatehouse:slo_allowed:ratio')
    return new Set(allowed.map(({ metric }) => metric.slo)).size === 4 || undefined
  })
})
