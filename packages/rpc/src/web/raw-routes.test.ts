import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { startTelemetry } from '@gatehouse/telemetry'
import type { Attributes, Meter } from '@opentelemetry/api'
import { currentCall } from '../current-call.ts'
import { commonRefusal } from '../refusal.ts'
import { ORIGIN, openTestDoor, type TestDoor, type TestDoorOptions } from './door-for-tests.ts'
import type { RawAct, RawRoute } from './raw-routes.ts'

const ROUTE: RawRoute = { url: '/raw/*', name: () => '/raw', maxBodyBytes: 1000, deadlineMs: 5000 }

// Without it nothing knows for which call it runs.
let telemetry: AsyncDisposable
before(async () => {
  telemetry = await startTelemetry({ service: 'test' })
})
after(() => telemetry[Symbol.asyncDispose]())

function openRaw(act: RawAct, { route, ...options }: TestDoorOptions & { route?: Partial<RawRoute> } = {}): Promise<TestDoor> {
  return openTestDoor({ routes: (scope, door) => door.raw(scope, { ...ROUTE, ...route }, act), ...options })
}

const echo: RawAct = async (incoming, response) => {
  response.end(`${incoming.method} ${incoming.url} ${await text(incoming)}`)
}

const reasonIn = (body: string): string => /"reason":"([A-Z_]+)"/.exec(body)?.[1] ?? ''

test('whatever the method and the content type, the route reads the request itself', async () => {
  await using opened = await openRaw(echo)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'no type']) {
      const answer = await fetch(`${opened.url}/raw/a?b=c`, { method, headers: { 'content-type': type }, body: '{"half' })
      assert.equal(await answer.text(), `${method} /raw/a?b=c {"half`)
    }
  }
  assert.equal(await (await fetch(`${opened.url}/raw/a`)).text(), 'GET /raw/a ')
  assert.equal((await fetch(`${opened.url}/raw`)).status, 404)
})

test('an answer has the headers of the door and its trace, and no leave for other origins', async () => {
  const traces: (string | undefined)[] = []
  await using opened = await openRaw((_incoming, response, call) => {
    traces.push(call.traceId, currentCall()?.traceId)
    response.end()
  })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const { headers } = await fetch(`${opened.url}/raw/a`, { headers: { origin: ORIGIN, traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
  assert.equal(headers.get('access-control-allow-origin'), null)
  assert.equal(headers.get('x-trace-id'), traceId)
  assert.deepEqual(traces, [traceId, traceId])
})

test('the route learns the address, the host and whether the page may act; identity is its own to say', async () => {
  const seen: unknown[] = []
  await using opened = await openRaw(
    (_incoming, response, call) => {
      seen.push([call.source, call.host, call.originAllowed, currentCall()?.caller])
      assert.throws(() => call.tenant, { reason: 'WRONG_TENANT' })
      assert.throws(() => call.person(), { reason: 'CREDENTIALS_MISSING' })
      call.setTenant('default')
      call.setCaller({ workload: 'client' })
      seen.push([currentCall()?.tenant, currentCall()?.caller.workload])
      response.end()
    },
    { trustedProxies: ['127.0.0.1'] },
  )
  const proxied = { 'x-forwarded-for': '1.1.1.1, 198.51.100.7', origin: ORIGIN }
  await fetch(`${opened.url}/raw/a`, { headers: proxied })
  await fetch(`${opened.url}/raw/a`, { headers: { origin: 'https://evil.example' } })
  const host = `127.0.0.1:${opened.door.port}`
  assert.deepEqual(seen, [
    ['198.51.100.7', host, true, {}],
    ['default', 'client'],
    ['127.0.0.1', host, false, {}],
    ['default', 'client'],
  ])
})

test('a body that is too long is refused unread, one of the full length is served', async () => {
  await using opened = await openRaw(echo)
  assert.match(await (await fetch(`${opened.url}/raw/a`, { method: 'POST', body: 'x'.repeat(1000) })).text(), /x{1000}$/)
  const agent = new Agent({ keepAlive: true })
  const sent = request(`${opened.url}/raw/a`, { method: 'POST', agent, headers: { 'content-length': 1001 } })
  sent.flushHeaders()
  const { answer, body } = await answerTo(sent)
  assert.equal(answer.statusCode, 429)
  assert.equal(answer.headers.connection, 'close')
  assert.equal(reasonIn(body), 'REQUEST_TOO_LARGE')
  sent.destroy()
  agent.destroy()
})

test('a connection with a body of unknown length ends with the answer', async () => {
  await using opened = await openRaw((_incoming, response) => void response.end('enough'))
  const sent = request(`${opened.url}/raw/a`, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  sent.on('error', () => {})
  sent.write('x')
  const { answer, body } = await answerTo(sent)
  assert.deepEqual([answer.headers.connection, body], ['close', 'enough'])
  sent.destroy()
})

test('whoever waits too long is answered, and what runs for them is given up', async () => {
  const signals: AbortSignal[] = []
  const gate = Promise.withResolvers<void>()
  await using opened = await openRaw(
    async (_incoming, response, call) => {
      signals.push(call.signal)
      await gate.promise
      response.end('too late')
    },
    { route: { deadlineMs: 50 } },
  )
  const answer = await fetch(`${opened.url}/raw/a`)
  assert.equal(answer.status, 504)
  assert.equal(reasonIn(await answer.text()), 'DEADLINE_EXCEEDED')
  assert.equal(signals[0]?.aborted, true)
  gate.resolve()
  assert.deepEqual(opened.faults, [])
})

test('a caller that goes away ends what runs for it', async () => {
  const begun = Promise.withResolvers<AbortSignal>()
  await using opened = await openRaw(async (_incoming, _response, call) => {
    begun.resolve(call.signal)
    await once(call.signal, 'abort')
  })
  const sent = request(`${opened.url}/raw/a`)
  sent.on('error', () => {})
  sent.end()
  const signal = await begun.promise
  sent.destroy()
  if (!signal.aborted) await once(signal, 'abort')
  assert.deepEqual(opened.faults, [])
})

test('what a route runs is bounded by whoever waits', async () => {
  const bounded: string[] = []
  const within: TestDoorOptions['within'] = (bounds, act) => {
    bounded.push(`${bounds.deadline !== undefined} ${bounds.ended}`)
    return act()
  }
  await using opened = await openRaw(echo, { within })
  await fetch(`${opened.url}/raw/a`)
  assert.deepEqual(bounded, ['true false'])
})

test('a refusal is answered as by an RPC, a fault is told to the log alone', async () => {
  await using opened = await openRaw((incoming) => {
    throw incoming.url === '/raw/refused' ? commonRefusal(ErrorReason.NOT_SERVED) : new Error('secret detail')
  })
  const refused = await fetch(`${opened.url}/raw/refused`)
  assert.equal(refused.status, 404)
  assert.equal(reasonIn(await refused.text()), 'NOT_SERVED')
  const failed = await fetch(`${opened.url}/raw/failed`)
  assert.equal(failed.status, 500)
  assert.deepEqual(await failed.json(), { error: 'server_error' })
  assert.equal(opened.faults.length, 1)
  assert.match(opened.faults[0] ?? '', /^request failed .*"route":"\/raw".*secret detail/)
  assert.ok(opened.faults[0]?.includes(failed.headers.get('x-trace-id') ?? 'none'))
})

test('a request counts among the calls that the door serves at once', async () => {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  await using opened = await openRaw(
    async (_incoming, response) => {
      begun.resolve()
      await gate.promise
      response.end()
    },
    { maxCalls: 1 },
  )
  const inFlight = fetch(`${opened.url}/raw/a`)
  await begun.promise
  const shed = await fetch(`${opened.url}/raw/a`)
  assert.equal(shed.status, 429)
  assert.equal(shed.headers.get('retry-after'), '1')
  assert.equal(reasonIn(await shed.text()), 'OVERLOADED')
  gate.resolve()
  assert.equal((await inFlight).status, 200)
  assert.equal((await fetch(`${opened.url}/raw/a`)).status, 200)
})

test('every request is measured by the name of its route', async () => {
  const records: Attributes[] = []
  const histogram = { record: (_seconds: number, attributes: Attributes = {}) => void records.push(attributes) }
  const meter: Pick<Meter, 'createHistogram'> = { createHistogram: () => histogram }
  await using opened = await openRaw(echo, { meter: meter as Meter })
  await fetch(`${opened.url}/raw/secret`)
  await fetch(`${opened.url}/raw/secret`, { method: 'POST', body: 'x'.repeat(1001) }).catch(() => undefined)
  assert.deepEqual(records, [
    { 'http.route': '/raw', 'http.request.method': 'GET', 'http.response.status_code': 200 },
    { 'http.route': '/raw', 'http.request.method': 'POST', 'http.response.status_code': 429 },
  ])
})

test('a drain finishes the requests in flight and closes their connections', async () => {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  await using opened = await openRaw(async (_incoming, response) => {
    begun.resolve()
    await gate.promise
    response.end('served')
  })
  const agent = new Agent({ keepAlive: true })
  const sent = request(`${opened.url}/raw/a`, { agent })
  sent.end()
  await begun.promise
  const drained = opened.door.drain()
  gate.resolve()
  const { answer, body } = await answerTo(sent)
  assert.deepEqual([answer.headers.connection, body], ['close', 'served'])
  await drained
  agent.destroy()
})

test('two hosts, or a whole URL as target, do not reach the route', async () => {
  let reached = 0
  await using opened = await openRaw((_incoming, response) => {
    reached += 1
    response.end()
  })
  const whole = request({ host: '127.0.0.1', port: opened.door.port, path: 'http://evil.example/raw/a' })
  whole.end()
  assert.equal((await answerTo(whole)).answer.statusCode, 400)
  const twice = request({ host: '127.0.0.1', port: opened.door.port, path: '/raw/a', headers: ['host', 'a', 'host', 'b'] })
  twice.end()
  assert.equal((await answerTo(twice)).answer.statusCode, 400)
  assert.equal(reached, 0)
})

async function answerTo(sent: ClientRequest): Promise<{ answer: IncomingMessage; body: string }> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { answer, body: await text(answer) }
}
