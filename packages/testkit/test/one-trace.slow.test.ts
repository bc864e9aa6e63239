import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Collector, type ReceivedSpan, startBrowser, startCollector } from '@gatehouse/testkit'
import type { Browser } from 'playwright-core'
import { asSuperuser } from './as-superuser.ts'
import { codeIn, type House, openHouse, until } from './house.ts'
import { openPage } from './pages.ts'

let collector: Collector
let house: House
let browser: Browser
before(async () => {
  collector = await startCollector()
  const seen = { OTLP_ENDPOINT: collector.endpoint, TRACE_SAMPLE_RATIO: '1' }
  ;[house, browser] = await Promise.all([openHouse({ extra: { user: seen, auth: seen, notification: seen } }), startBrowser()])
})
after(async () => {
  await browser?.close()
  await house?.[Symbol.asyncDispose]()
  await collector?.[Symbol.asyncDispose]()
})

const password = 'correct horse battery staple!'
const newTraceparent = (flags = '00') => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags}`

/** The one span of a trace that is called so, waited for. */
async function span(
  traceId: string,
  service: string,
  name: string,
  found: (span: ReceivedSpan) => boolean = () => true,
): Promise<ReceivedSpan> {
  const all = () =>
    collector.spans.filter(
      (each) => each.traceId === traceId && each.service === `gatehouse-${service}` && each.name === name && found(each),
    )
  await until(`the span ${name} of ${service}`, () => all().length > 0 || undefined)
  assert.equal(all().length, 1, `${all().length} spans are called ${name}`)
  return all()[0] as ReceivedSpan
}

const idsOf = ({ traceId, spanId }: ReceivedSpan) => ({ traceId, spanId })
const [asked, created] = ['gatehouse.auth.v1.EmailVerificationRequested', 'gatehouse.user.v1.UserCreated']

test('one trace goes from the browser by auth, outbox and NATS to notification and into SMTP, and by gRPC to user', async () => {
  const { page } = await openPage(browser, `${house.local.origin}/`)
  const sent = new Map<string, string>()
  page.on('request', (request) => {
    const { traceparent } = request.headers()
    if (traceparent !== undefined) sent.set(request.url().split('/').at(-1) ?? '', traceparent)
  })
  await page.getByLabel('Name').fill('Ada Lovelace')
  await page.getByLabel('E-mail address').fill('traced@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
  await page.getByLabel('Code').fill(codeIn(await house.mailTo('traced@example.com')))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor()

  const [, traceId = '', browserSpan] = sent.get('SignUp')?.split('-') ?? []
  const signUp = await span(traceId, 'auth', 'gatehouse.auth.v1.AccountService/SignUp')
  assert.deepEqual([signUp.kind, signUp.parentSpanId, signUp.failed], ['SERVER', browserSpan, false])
  assert.deepEqual(signUp.attributes, {
    'rpc.system.name': 'connectrpc',
    'rpc.method': 'gatehouse.auth.v1.AccountService/SignUp',
    'rpc.response.status_code': 'OK',
  })

  const publish = await span(traceId, 'auth', `publish ${asked}`)
  const process = await span(traceId, 'notification', `process ${asked}`)
  assert.deepEqual([publish.kind, publish.parentSpanId], ['PRODUCER', signUp.spanId])
  assert.deepEqual([process.kind, process.parentSpanId, process.links], ['CONSUMER', publish.spanId, [idsOf(publish)]])
  const event = {
    'messaging.system': 'nats',
    'messaging.destination.name': asked,
    'messaging.message.id': publish.attributes['messaging.message.id'] ?? '',
  }
  assert.deepEqual(publish.attributes, { ...event, 'messaging.operation.name': 'publish', 'messaging.operation.type': 'send' })
  assert.deepEqual(process.attributes, {
    ...event,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.consumer.group.name': 'notification',
    'gatehouse.delivery.attempt': 1,
  })

  const deliver = await span(traceId, 'notification', 'deliver verify_email')
  const smtp = await span(traceId, 'notification', 'smtp send')
  assert.deepEqual(
    [deliver.kind, deliver.parentSpanId, deliver.attributes['gatehouse.mail.outcome']],
    ['INTERNAL', process.spanId, 'delivered'],
  )
  assert.deepEqual([smtp.kind, smtp.parentSpanId], ['CLIENT', deliver.spanId])
  assert.deepEqual(smtp.attributes, {
    'network.protocol.name': 'smtp',
    'server.address': '127.0.0.1',
    'server.port': house.local.ports.smtp,
  })

  const reveal = 'gatehouse.auth.v1.ChallengeService/RevealSecret'
  const asks = await span(traceId, 'notification', reveal)
  const answers = await span(traceId, 'auth', reveal)
  assert.deepEqual([asks.kind, asks.parentSpanId, answers.kind, answers.parentSpanId], ['CLIENT', deliver.spanId, 'SERVER', asks.spanId])
  const about = { 'rpc.system.name': 'grpc', 'rpc.method': reveal, 'rpc.response.status_code': 'OK' }
  assert.deepEqual(asks.attributes, { ...about, 'server.address': '127.0.0.1', 'server.port': house.local.ports.services.auth.grpc })
  assert.deepEqual(answers.attributes, about)

  const [, second = ''] = sent.get('VerifyEmail')?.split('-') ?? []
  const verify = await span(second, 'auth', 'gatehouse.auth.v1.AccountService/VerifyEmail')
  const registers = await span(second, 'auth', 'gatehouse.user.v1.UserService/RegisterUser')
  const registered = await span(second, 'user', 'gatehouse.user.v1.UserService/RegisterUser')
  const told = await span(second, 'user', `publish ${created}`)
  const handled = await span(second, 'notification', `process ${created}`)
  assert.deepEqual(
    [registers, registered, told, handled].map(({ kind, parentSpanId }) => [kind, parentSpanId]),
    [
      ['CLIENT', verify.spanId],
      ['SERVER', registers.spanId],
      ['PRODUCER', registered.spanId],
      ['CONSUMER', told.spanId],
    ],
  )
  const statements = collector.spans.filter(({ traceId: of, attributes }) => of === second && attributes['db.system.name'] === 'postgresql')
  assert.ok(statements.some(({ service, parentSpanId }) => service === 'gatehouse-user' && parentSpanId === registered.spanId))
  for (const { kind, attributes } of statements) {
    assert.equal(kind, 'CLIENT')
    assert.ok(String(attributes['db.query.text']).trimStart().startsWith(String(attributes['db.query.summary'])))
  }
})

test('an event that comes again, and a mail that goes again, stay in their trace and link to the attempt before', async () => {
  const { postgresUrl } = house.local
  const onDeliveries = (what: string) =>
    asSuperuser(postgresUrl, (client) => client.query(`alter table gatehouse_notification.deliveries ${what}`))
  const traceparent = newTraceparent()
  const traceId = traceparent.slice(3, 35)
  await onDeliveries('add constraint planted check (false) not valid')
  await house.call('AccountService/SignUp', { email: 'again@example.com', password, name: 'Ada' }, { headers: { traceparent } })
  const attempt = (number: number) =>
    span(traceId, 'notification', `process ${asked}`, ({ attributes }) => attributes['gatehouse.delivery.attempt'] === number)
  const first = await attempt(1)
  await onDeliveries('drop constraint planted')
  const second = await attempt(2)
  const publish = await span(traceId, 'auth', `publish ${asked}`)
  assert.deepEqual([first.failed, first.attributes['error.type'], first.links], [true, 'error', [idsOf(publish)]])
  assert.deepEqual([second.parentSpanId, second.links], [publish.spanId, [idsOf(publish), idsOf(first)]])
  await house.mailTo('again@example.com')
})

test('where the collector is away, calls are answered as before, and the spans are lost and counted', async () => {
  await collector[Symbol.asyncDispose]()
  const lost = async () => {
    const text = await (await fetch(`http://127.0.0.1:${house.local.ports.services.auth.metrics}/metrics`)).text()
    const all = [...text.matchAll(/^otel_sdk_processor_span_processed_total\{([^}]*)\} (\d+)/gm)]
    return all.filter(([, labels = '']) => /error_type="[^"]/.test(labels)).reduce((sum, [, , count]) => sum + Number(count), 0)
  }
  const started = performance.now()
  for (let call = 0; call < 50; call++) {
    const { status } = await house.call('SessionService/SignIn', { email: 'traced@example.com', password: 'not the password, ever' })
    assert.ok(status === 401 || status === 429, `${status}`)
  }
  assert.ok(performance.now() - started < 20_000)
  await until('the spans to be counted as lost', async () => (await lost()) > 0 || undefined, 30_000)
})
