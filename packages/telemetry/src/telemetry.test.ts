import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { SignUpRequestSchema, VerifyEmailRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { CreateApiKeyResponseSchema, ResolveApiKeyRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { createLogger, redact, startTelemetry, type Telemetry } from './index.ts'

const signUp = create(SignUpRequestSchema, { email: 'ada@example.com', password: 'planted-secret', name: 'Ada', requestId: 'r1' })

function lines() {
  const written: string[] = []
  return { written, destination: { write: (line: string) => void written.push(line) } }
}

async function metricsOf(telemetry: Telemetry): Promise<string> {
  const server = createServer((request, response) => telemetry.answerMetrics(request, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
  const text = await response.text()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return text
}

test('a message is logged without its personal and secret fields', () => {
  assert.deepEqual(redact(SignUpRequestSchema, signUp), { email: '[personal]', password: '[secret]', name: '[personal]', requestId: 'r1' })
  const verify = create(VerifyEmailRequestSchema, { challengeId: 'c1', proof: { case: 'code', value: '123456' } })
  assert.deepEqual(redact(VerifyEmailRequestSchema, verify), { challengeId: 'c1', code: '[secret]' })
})

test('a log line shows neither a message of the contract nor a header that is secret', () => {
  const { written, destination } = lines()
  createLogger({ service: 'auth', destination }).info(
    { request: signUp, headers: { authorization: 'planted-secret' }, password: 'planted-secret', shown: 'yes\nno' },
    'hello',
  )
  const line = written.join('')
  assert.doesNotMatch(line, /planted-secret|ada@example/)
  assert.equal(line.trim().split('\n').length, 1)
  assert.equal(JSON.parse(line).shown, 'yes\nno')
})

test('a log line never shows an API key, nor what would stand for it', () => {
  const { written, destination } = lines()
  const key = 'gh_live_planted-secret'
  const keyHash = Buffer.from('planted-secret-of-32-bytes-length')
  const logger = createLogger({ service: 'auth', destination })
  logger.info({ answer: create(CreateApiKeyResponseSchema, { key }), headers: { authorization: `Bearer ${key}` }, apiKey: key }, 'made')
  logger.info({ request: create(ResolveApiKeyRequestSchema, { keyId: 'k1', keyHash }) }, 'resolved')
  assert.doesNotMatch(written.join(''), /planted-secret|gh_live_/)
  assert.ok(!written.join('').includes(keyHash.toString('base64')))
  assert.match(written.join(''), /"k1"/)
})

test('a log line carries the trace of its call', async () => {
  await using _telemetry = await startTelemetry({ service: 'test' })
  const { written, destination } = lines()
  const logger = createLogger({ service: 'auth', destination })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  context.with(trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }), () => logger.info('hello'))
  assert.equal(JSON.parse(written[0] ?? '').trace_id, traceId)
})

test('a histogram counts into its buckets, by what the attributes say', async () => {
  await using telemetry = await startTelemetry({ service: 'test' })
  const options = { unit: 's', description: 'How long.', advice: { explicitBucketBoundaries: [0.01, 0.1] } }
  const [one, other] = [1, 2].map(() => metrics.getMeter('test').createHistogram('gatehouse.test.duration', options))
  const slow = { code: 'OK', method: 'a' }
  for (const seconds of [0.005, 0.01, 0.05]) one?.record(seconds, slow)
  other?.record(7, { method: 'a', code: 'OK' })
  one?.record(0.5, { method: 'b', code: 'OK' })
  const text = await metricsOf(telemetry)
  const of = (name: string, labels: string) =>
    new RegExp(`^gatehouse_test_duration_${name}\\{([^}]*method="a"[^}]*${labels}[^}]*)\\} (\\S+)`, 'm').exec(text)?.[2]
  assert.deepEqual(
    ['0.01', '0.1', '\\+Inf'].map((bound) => of('bucket', `le="${bound}"`)),
    ['2', '3', '4'],
  )
  assert.equal(of('count', ''), '4')
  assert.equal(Number(of('sum', '')).toFixed(3), '7.065')
  assert.equal(text.match(/_duration_count/g)?.length, 2)
  assert.match(text, /# TYPE gatehouse_test_duration histogram/)
})

test('metrics are answered in the Prometheus text format', async () => {
  await using telemetry = await startTelemetry({ service: 'test' })
  metrics.getMeter('test').createCounter('gatehouse.test.things').add(3)
  assert.match(await metricsOf(telemetry), /^gatehouse_test_things_total\{?.* 3/m)
})

test('how late the event loop comes to its work is shown in seconds, since the last look', async () => {
  await using telemetry = await startTelemetry({ service: 'test' })
  const latest = async () => Number(/^nodejs_eventloop_delay_max(?:\{.*\})? (\S+)/m.exec(await metricsOf(telemetry))?.[1])
  let seen = await latest()
  for (const end = performance.now() + 5_000; seen < 0.2 && performance.now() < end; seen = await latest()) {
    // Node measures from one of its looks to the next, and a look of ours makes it begin anew.
    await delay(60)
    const until = performance.now() + 300
    while (performance.now() < until);
  }
  assert.ok(seen >= 0.2 && seen < 60, `${seen}`)
})
