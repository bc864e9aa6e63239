import assert from 'node:assert/strict'
import { connect as dial } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats, fillStream, type Nats, outboxStatus, streamOf, subscribe } from '@gatehouse/events'
import { type EventService, eventServices, eventSources, rightsOfService } from '@gatehouse/events/nats-rights'
import { checkNats } from '../src/doctor/check-nats.ts'
import { migrateStream } from '../src/migrate-stream.ts'
import { type DeployedNats, deployedNats } from './deployed-nats.ts'
import { covers, doneUnder } from './done-under.ts'
import { openService, type ServiceAtWork, until } from './service-at-work.ts'

let broker: DeployedNats
const parts = new AsyncDisposableStack()
const connectAs = (user: string): Nats => parts.use(connectNats({ url: broker.url(user), name: `test-${user}` }))
before(async () => {
  broker = parts.use(await deployedNats())
})
after(() => parts.disposeAsync())

const at: { -readonly [service in (typeof eventServices)[number]]?: ServiceAtWork } = {}
const seen: string[] = []

test('each service does its whole job with its own user and deploy/nats, and uses every right that it has', async () => {
  const billing = connectAs('billing')
  parts.use(
    subscribe({
      nats: billing,
      name: 'billing',
      events: [UserCreatedSchema],
      onEvent: ({ userId }) => void seen.push(`billing user-${userId}`),
    }),
  )
  // Whoever comes before the streams are there waits for them.
  for (const service of eventServices)
    at[service] = parts.use(await openService(service, { url: broker.url(service), onEvent: (id) => void seen.push(`${service} ${id}`) }))
  await assert.rejects(migrateStream('user', broker.url('orders'), {}), {
    message: 'gatehouse-user has to be made, and this user of NATS may not: NATS_URL has to name the user streams.',
  })
  for (const service of eventServices)
    assert.equal(await migrateStream(service, broker.url('streams'), {}), `gatehouse-${service} was made`)
  assert.equal(await migrateStream('user', broker.url('user'), {}), 'gatehouse-user is as it has to be')
  for (const service of eventServices) {
    await at[service]?.tell('first')
    // Of a kind that nobody asks for before the upgrade.
    await at[service]?.tellNewKind('second')
  }
  await until(() =>
    ['billing user-first', 'auth user-first', 'notification user-first', 'notification auth-first'].every((one) => seen.includes(one)),
  )
  for (const service of eventServices) await at[service]?.upgrade()
  await until(() => ['auth user-second', 'notification user-second', 'notification auth-second'].every((one) => seen.includes(one)))
  for (const service of eventServices) {
    const { db, nats, events } = at[service] ?? assert.fail()
    await until(async () => (await outboxStatus(db)).depth === 0)
    await at[service]?.nudgeFromTheOther()
    assert.deepEqual(await fillStream({ db, nats, service }), { published: 0 })
    const database = { db, outbox: await outboxStatus(db) }
    const consumes = eventSources[service].flatMap((source) => (at[source] ?? assert.fail()).events)
    const question = { name: service, natsUrl: broker.url(service), database, consumes }
    const found = (await checkNats(question)).filter(({ level }) => level !== 'ok')
    assert.match(found.map(({ what }) => what).join(), /^NATS_URL names 3 servers, and one of them alone holds the stream$/)
    assert.ok(events.length > 0)
  }
  // A consumer that is through goes a moment later.
  await until(() => eventServices.every((service) => unusedBy(service).length === 0)).catch(() => {})
  for (const service of eventServices) {
    assert.deepEqual(unusedBy(service), [], `${service} has rights that it does not use`)
    // What the doctor asks on purpose.
    const probes = others(service).map((other) => `Publish gatehouse.${other}.doctor`)
    assert.deepEqual([...new Set(doneBy(service).refused)].sort(), probes.sort(), `${service} was refused what it needs`)
  }
  assert.deepEqual(doneBy('billing').refused, [])
})

const doneBy = (user: string) => doneUnder(broker.lines).get(user) ?? assert.fail(`${user} did nothing`)

const unusedBy = (service: EventService): string[] => {
  const { published } = doneBy(service)
  return rightsOfService(service).publish.filter((right) => ![...published].some((subject) => covers(right, subject)))
}

test('a right that is taken away is missed', () => {
  const { published } = doneBy('auth')
  const rights = rightsOfService('auth').publish
  const missing = (left: readonly string[]) => [...published].filter((subject) => !left.some((right) => covers(right, subject)))
  assert.deepEqual(missing(rights), ['gatehouse.user.doctor', 'gatehouse.notification.doctor'])
  for (const right of rights.filter((each) => each.includes('MSG.NEXT')))
    assert.ok(missing(rights.filter((each) => each !== right)).length > 2, right)
})

const others = (service: string) => eventServices.filter((other) => other !== service)

/** Whether nats-server answers `Permissions Violation`; what else becomes of the request is not asked. */
async function isRefused(user: Nats, subject: string): Promise<boolean> {
  const connection = await user.connected()
  const answer = await connection.request(subject, '{}', { timeout: 5000 }).catch((error: Error) => error)
  return answer instanceof Error && /Permissions Violation/.test(answer.message)
}

for (const service of eventServices)
  test(`${service} can do nothing of another's, and nothing that destroys`, async () => {
    const nats = at[service]?.nats ?? assert.fail()
    const stream = streamOf(service)
    for (const act of ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE', 'PEER.REMOVE', 'LEADER.STEPDOWN'])
      assert.ok(await isRefused(nats, `$JS.API.STREAM.${act}.${stream}`), act)
    for (const other of others(service)) {
      assert.ok(await isRefused(nats, `gatehouse.${other}.v1.SignedIn.default`))
      for (const act of ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET'])
        assert.ok(await isRefused(nats, `$JS.API.STREAM.${act}.${streamOf(other)}`), act)
      for (const source of eventServices)
        for (const act of ['INFO', 'MSG.NEXT', 'DELETE', 'PAUSE', 'DURABLE.CREATE', 'CREATE'])
          for (const durable of [other, `${other}-catch-up`, 'subscriber-billing'])
            assert.ok(await isRefused(nats, `$JS.API.CONSUMER.${act}.${streamOf(source)}.${durable}`), `${act} ${durable}`)
    }
    for (const subject of [
      '$JS.API.STREAM.CREATE.mine',
      '$JS.API.STREAM.LIST',
      '$JS.API.ACCOUNT.PURGE.GATEHOUSE',
      '$SYS.REQ.SERVER.PING',
      'anything',
    ])
      assert.ok(await isRefused(nats, subject), subject)
    for (const subject of ['_INBOX.>', 'gatehouse.>', '$JS.EVENT.ADVISORY.>', '$SYS.>'])
      assert.ok(await hearsNothing(nats, subject), subject)
    assert.ok(!(await isRefused(nats, `$JS.API.STREAM.INFO.${stream}`)))
    assert.ok(!(await hearsNothing(nats, `gatehouse.${service}.nudge`)))
  })

test('an outsider hears every event and touches nobody else', async () => {
  const billing = connectAs('billing')
  for (const service of eventServices) {
    const stream = streamOf(service)
    assert.ok(await isRefused(billing, `gatehouse.${service}.v1.UserCreated.default`))
    for (const act of ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET'])
      assert.ok(await isRefused(billing, `$JS.API.STREAM.${act}.${stream}`), act)
    for (const durable of ['subscriber-orders', 'auth', 'notification', 'auth-catch-up'])
      for (const act of ['INFO', 'MSG.NEXT', 'DELETE', 'CREATE', 'DURABLE.CREATE'])
        assert.ok(await isRefused(billing, `$JS.API.CONSUMER.${act}.${stream}.${durable}`), `${act} ${durable}`)
    assert.ok(!(await isRefused(billing, `$JS.API.CONSUMER.INFO.${stream}.subscriber-billing`)))
  }
  for (const subject of ['_INBOX.>', '_INBOX.orders.>', 'gatehouse.user.nudge', '>'])
    assert.ok(await hearsNothing(billing, subject), subject)
  assert.ok(!(await hearsNothing(billing, 'gatehouse.*.v1.>')))
})

test('the operator of the cluster has no event', async () => {
  const connection = await connectAs('operator').connected()
  const answer = await connection.request('$SYS.REQ.SERVER.PING', '', { timeout: 2000 })
  assert.ok(answer.data.length > 0)
  const heard: string[] = []
  connection.subscribe('gatehouse.>', { callback: (_, { subject }) => void heard.push(subject) })
  await connection.flush()
  await at.user?.tell('unheard')
  await until(() => seen.includes('auth user-unheard'))
  assert.deepEqual(heard, [])
})

test('nobody comes in without TLS', async () => {
  const [port = 0] = broker.ports
  const socket = dial(port, '127.0.0.1')
  const said: string[] = []
  socket.setEncoding('utf8').on('data', (data) => void said.push(String(data)))
  socket.write('CONNECT {"verbose":true,"user":"user","pass":"irrelevant"}\r\nPING\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(said.join(''), /"tls_required":true/)
  assert.doesNotMatch(said.join(''), /PONG/)
})

test('streams and what is taken from them get two more copies, and then the node that leads may die', async () => {
  for (const service of eventServices)
    assert.match(await migrateStream(service, broker.url('streams'), { replicas: 3 }), /^gatehouse-\w+ was changed$/)
  const report = async () => (await Promise.all(eventServices.map((service) => at[service]?.report() ?? assert.fail()))).flat()
  const whole = () =>
    report().then(
      (parts) => parts.length === 6 && parts.every(({ copies, lagging }) => copies === 3 && !lagging),
      () => false,
    )
  await until(whole, 30_000)
  const leader = (await report()).find(({ name }) => name.endsWith(streamOf('user')))?.leader ?? assert.fail()
  const names = Array.from({ length: 100 }, (_, i) => `bad-day-${i}`)
  const telling = names.map((name) => at.user?.tell(name))
  await broker.kill(Number(leader.slice(-1)))
  await Promise.all(telling)
  const all = names.flatMap((name) => ['billing', 'auth', 'notification'].map((who) => `${who} user-${name}`))
  await until(() => all.every((one) => seen.includes(one)), 30_000)
})

async function hearsNothing(user: Nats, subject: string): Promise<boolean> {
  const connection = await user.connected()
  const subscription = connection.subscribe(subject, { callback: () => {} })
  const ended = subscription.closed.then((error) => error instanceof Error)
  await connection.flush()
  const refused = await Promise.race([ended, delay(50).then(() => false)])
  subscription.unsubscribe()
  return refused
}
