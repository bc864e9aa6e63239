import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type DescMethod, type DescMethodUnary, fromJson } from '@bufbuild/protobuf'
import { services as contracts } from '@gatehouse/contracts/files'
import { connectNats } from '@gatehouse/events'
import { createWorkloadSigner } from '@gatehouse/identity'
import { isOpenToPeople, peerTransport } from '@gatehouse/rpc'
import { type Collector, startCollector } from '@gatehouse/testkit'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { MsgHdrsImpl } from '@nats-io/transport-node'
import { asSuperuser } from './as-superuser.ts'
import { codeIn, type House, openHouse, until } from './house.ts'
import { markedFields, Planted } from './planted-values.ts'

const services = ['user', 'auth', 'notification'] as const
const planted = new Planted()
const traceId = randomBytes(16).toString('hex')
const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` }

let collector: Collector
let house: House
before(async () => {
  collector = await startCollector()
  const seen = { OTLP_ENDPOINT: collector.endpoint, TRACE_SAMPLE_RATIO: '1', LOG_LEVEL: 'debug' }
  house = await openHouse({ extra: { user: seen, auth: seen, notification: seen } })
})
after(async () => {
  await house?.[Symbol.asyncDispose]()
  await collector?.[Symbol.asyncDispose]()
})

const unary = contracts.flatMap(({ methods }) => methods).filter((method): method is DescMethodUnary => method.methodKind === 'unary')

/** Calls at the web door, and remembers the secrets that were answered. */
async function call(method: DescMethod, body: object, token?: string) {
  const path = `/${method.parent.typeName}/${method.name}`
  const answer = await house.call(path, body, { token, headers: { ...headers, cookie: `refresh=${planted.word('secret')}` } })
  if (answer.status === 200) planted.learn(method.output, fromJson(method.output, answer.body, { ignoreUnknownFields: true }))
  return answer
}

const rpc = (name: string): DescMethod => unary.find((method) => `${method.parent.name}/${method.name}` === name) ?? assert.fail(name)

/** All that each place has, as one text. */
async function told(): Promise<Record<string, string>> {
  const { local, folder } = house
  const logs = await Promise.all(services.map((name) => readFile(join(folder, 'logs', `${name}.log`), 'utf8')))
  const metrics = await Promise.all(
    services.map(async (name) => (await fetch(`http://127.0.0.1:${local.ports.services[name].metrics}/metrics`)).text()),
  )
  const rowsOf = async (table: string) => {
    const results = await Promise.all(
      services.map((name) =>
        asSuperuser(local.postgresUrl, (client) => client.query(`select * from gatehouse_${name}.${table}`).catch(() => ({ rows: [] }))),
      ),
    )
    return readable(results.flatMap(({ rows }) => rows))
  }
  return {
    logs: logs.join('\n'),
    traces: JSON.stringify(collector.spans) + collector.bodies.map((body) => Buffer.from(body).toString('latin1')).join('\n'),
    metrics: metrics.join('\n'),
    outboxes: await rowsOf('outbox'),
    'dead letters': await rowsOf('dead_letters'),
    streams: await messages(),
  }
}

/** Bytes as the characters that they may be. */
const readable = (value: unknown): string =>
  JSON.stringify(value, (_, each) =>
    each?.type === 'Buffer' ? Buffer.from(each.data).toString('latin1') : typeof each === 'bigint' ? String(each) : each,
  )

async function messages(): Promise<string> {
  const texts: string[] = []
  for (const name of services) {
    // Each may read what it told, and nothing else.
    await using nats = connectNats({ url: house.local.environment(name).NATS_URL ?? '', name: 'somebody' })
    const { streams } = await jetstreamManager(await nats.connected(), { checkAPI: false })
    const stream = `gatehouse-${name}`
    const { state } = await streams.info(stream)
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await streams.getMessage(stream, { seq })
      if (message) texts.push(`${message.subject} ${Buffer.from(message.data).toString('latin1')} ${JSON.stringify([...message.header])}`)
    }
  }
  return texts.join('\n')
}

test('the contract marks what is planted: passwords, codes, tokens, addresses and names', () => {
  const marked = new Set(unary.flatMap((method) => markedFields(method.input)))
  for (const field of ['password', 'email', 'name', 'code', 'token'])
    assert.ok(
      [...marked].some((each) => each.split('.').includes(field)),
      field,
    )
  assert.ok(marked.size > 20, `${marked.size}`)
})

test('nothing that the contract calls secret or personal stands in logs, traces, metrics, events or dead letters', async () => {
  const admin = await house.adminToken()
  planted.values.add(admin)
  // Every RPC, let in or refused, by every door that has it; three times, for the fields of a oneof.
  await using doors = new AsyncDisposableStack()
  const signer = await createWorkloadSigner(house.local.keyFile('notification'))
  const each = [0, 1, 2].flatMap((turn) => unary.map((method) => ({ method, body: planted.requestOf(method.input, turn) })))
  for (const { method, body } of each) {
    if (isOpenToPeople(method)) {
      await call(method, body, admin)
      await call(method, body, planted.word('secret'))
    }
    const owner = services.find((name) => method.parent.typeName.startsWith(`gatehouse.${name}.`))
    if (owner === undefined) continue
    const transport = doors.use(peerTransport({ target: owner, url: `127.0.0.1:${house.local.ports.services[owner].grpc}`, signer }))
    await transport.unary(method, undefined, 5000, headers, fromJson(method.input, body)).catch(() => undefined)
  }

  // And a story that goes well.
  const person = {
    email: `${planted.word('personal')}@example.com`,
    password: `${planted.word('secret')} and a staple`,
    name: planted.word('personal'),
  }
  const { body: begun } = await call(rpc('AccountService/SignUp'), person)
  const code = codeIn(await house.mailTo(person.email))
  planted.values.add(`"${code}"`)
  const { body: signedIn } = await call(rpc('AccountService/VerifyEmail'), { challengeId: begun.challengeId, code })
  const userId = String(signedIn.signedIn?.user?.id ?? signedIn.user?.id)
  const token = String(signedIn.signedIn?.accessToken ?? signedIn.accessToken)
  await call(rpc('UserService/UpdateUser'), { id: userId, name: planted.word('personal') }, token)
  await call(rpc('SessionService/SignIn'), { email: person.email, password: person.password })
  await call(rpc('SessionService/SignIn'), { email: person.email, password: planted.word('secret').repeat(2) })
  await call(rpc('UserService/CreateUser'), { email: `${planted.word('personal')}@example.com`, name: planted.word('personal') }, admin)
  await call(rpc('AccountService/RequestPasswordReset'), { email: person.email })

  // What may be found: the twin of each search.
  await using nats = connectNats({ url: house.local.environment('user').NATS_URL ?? '', name: 'somebody' })
  const about = MsgHdrsImpl.fromRecord({ 'ce-id': ['not-marked-at-all'], 'ce-subject': ['somebody'], 'ce-sequence': ['1'] })
  await jetstream(await nats.connected()).publish('gatehouse.user.v1.UserDeleted.default', new Uint8Array([0xff]), { headers: about })
  const twins: Readonly<Record<string, string>> = {
    logs: traceId,
    traces: traceId,
    metrics: 'gatehouse.auth.v1.AccountService/SignUp',
    outboxes: userId,
    'dead letters': 'not-marked-at-all',
    streams: userId,
  }
  const all = await until(
    'what may be found to be found everywhere',
    async () => {
      const now = await told()
      return Object.entries(twins).every(([place, twin]) => now[place]?.includes(twin)) ? now : undefined
    },
    30_000,
  )
  assert.ok(planted.values.size > 300, `${planted.values.size} values were planted`)
  for (const [place, text] of Object.entries(all)) assert.deepEqual(planted.foundIn(text), [], `in ${place}`)
  assert.deepEqual(planted.foundIn(`${all.logs}${person.name}`), [person.name], 'the search finds what is there')
})
