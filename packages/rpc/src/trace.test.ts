import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Code, createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { startTelemetry } from '@gatehouse/telemetry'
import { context, type Span, type Tracer, trace } from '@opentelemetry/api'
import { callOf } from './call.ts'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor } from './grpc/door-for-tests.ts'
import { startSpan } from './span.ts'
import { CallTrace } from './trace.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`
const AS_ADA = { headers: { authorization: 'Bearer ada', traceparent: TRACEPARENT } }

describe('a call trace', () => {
  test('goes on with the trace that the caller sent, under a span of its own', () => {
    const call = new CallTrace(TRACEPARENT)
    assert.equal(call.traceId, TRACE)
    assert.equal(call.traceFlags, 1)
    assert.match(call.spanId, /^[0-9a-f]{16}$/)
    assert.notEqual(call.spanId, PARENT)
    assert.equal(trace.getSpanContext(call.parent)?.spanId, PARENT)
  })

  test('begins anew where the caller sent nothing or nonsense', () => {
    const zeros = `00-${'0'.repeat(32)}-${PARENT}-01`
    for (const header of [
      undefined,
      '',
      'zz',
      `01-${TRACE}-${PARENT}-01`,
      zeros,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      TRACEPARENT.toUpperCase(),
    ]) {
      const call = new CallTrace(header)
      assert.match(call.traceId, /^[0-9a-f]{32}$/)
      assert.notEqual(call.traceId, TRACE)
      assert.equal(trace.getSpanContext(call.parent), undefined)
    }
  })

  test('of a stranger goes on too, and what they say of its being recorded is not believed', () => {
    const call = new CallTrace(TRACEPARENT, true)
    assert.deepEqual([call.traceId, call.traceFlags, call.isRecorded], [TRACE, 0, undefined])
    assert.equal(trace.getSpanContext(call.parent)?.spanId, PARENT)
    const [inside, unrecorded] = [new CallTrace(TRACEPARENT), new CallTrace(TRACEPARENT.replace(/01$/, '00'))]
    assert.deepEqual([inside.isRecorded, unrecorded.isRecorded, new CallTrace(undefined).isRecorded], [true, false, undefined])
  })

  test('has other ids each time', () => {
    const ids = new Set(Array.from({ length: 2000 }, () => new CallTrace(undefined)).flatMap((call) => [call.traceId, call.spanId]))
    assert.equal(ids.size, 4000)
  })
})

test('a handler runs in the context of its call, also step by step of a stream', async () => {
  await using _telemetry = await startTelemetry({ service: 'test' })
  const seen: (string | undefined)[] = []
  const look = () => void seen.push(trace.getSpanContext(context.active())?.traceId)
  await using door = await openTestDoor({
    user: {
      getUser: async () => {
        look()
        await Promise.resolve()
        look()
        return {}
      },
    },
    inbox: {
      async *watchInbox() {
        look()
        yield {}
        look()
        yield {}
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  await createClient(UserService, transport).getUser({ id: ADA }, AS_ADA)
  for await (const _ of createClient(InboxService, transport).watchInbox({}, AS_ADA)) look()
  assert.deepEqual(
    seen.filter((id) => id !== undefined),
    [TRACE, TRACE, TRACE, TRACE],
  )
})

interface Recorded {
  readonly name: string
  readonly parent: string | undefined
  readonly attributes: Record<string, unknown>
  ended: boolean
}

/** A tracer that keeps what becomes of its spans. */
function keepingTracer(): { tracer: Tracer; spans: Recorded[] } {
  const spans: Recorded[] = []
  const tracer: Pick<Tracer, 'startSpan'> = {
    startSpan(name, _options, parent) {
      const record: Recorded = { name, parent: parent && trace.getSpanContext(parent)?.spanId, attributes: {}, ended: false }
      spans.push(record)
      const span: Partial<Span> = {
        spanContext: () => ({ traceId: TRACE, spanId: '00f067aa0ba902b7', traceFlags: 1 }),
        setAttribute(key, value) {
          record.attributes[key] = value
          return span as Span
        },
        setStatus: () => span as Span,
        isRecording: () => true,
        end() {
          record.ended = true
        },
      }
      return span as Span
    },
  }
  return { tracer: tracer as Tracer, spans }
}

test('a browser has no say in what is recorded, and a caller inside of the house has', async () => {
  const { tracer, spans } = keepingTracer()
  let sample = false
  const options = { user: { getUser: () => ({}) }, pipeline: { tracer, sample: () => sample } }
  await using inside = await openTestDoor(options)
  await using transport = peerTransport({ target: 'user', url: inside.url })
  await createClient(UserService, transport).getUser({ id: ADA }, AS_ADA)
  assert.deepEqual(
    spans.splice(0).map(({ parent }) => parent),
    [PARENT],
  )

  const call = new CallTrace(TRACEPARENT, true)
  const context = { door: 'web' as const, trace: call, method: UserService.method.getUser }
  assert.equal(startSpan({ tracer, sample: () => sample }, context), undefined)
  assert.deepEqual([spans.length, call.traceId, call.traceFlags], [0, TRACE, 0])
  sample = true
  startSpan({ tracer, sample: () => sample }, context)?.end(undefined)
  assert.deepEqual(
    spans.map(({ parent, ended }) => [parent, ended]),
    [[PARENT, true]],
  )
})

test('a tracer gets one server span for each call, with its method and code', async () => {
  const { tracer, spans } = keepingTracer()
  let seen = ''
  await using door = await openTestDoor({
    user: {
      getUser: (_request, context) => {
        seen = callOf(context).traceId
        return {}
      },
    },
    pipeline: { tracer },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  await users.getUser({ id: ADA }, AS_ADA)
  await assert.rejects(users.listUsers({}, AS_ADA), { code: Code.PermissionDenied })
  assert.deepEqual(
    spans.map(({ name, parent, attributes, ended }) => [name, parent, attributes['rpc.response.status_code'], ended]),
    [
      ['gatehouse.user.v1.UserService/GetUser', PARENT, 'OK', true],
      ['gatehouse.user.v1.UserService/ListUsers', PARENT, 'PERMISSION_DENIED', true],
    ],
  )
  assert.equal(seen, TRACE)
})
