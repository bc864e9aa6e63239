import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorsIn } from '../server-count.ts'
import { resultOf } from './h2load.ts'

const summary = (requests: string, statuses: string) => `
finished in 605.27ms, 10075.00 req/s, 1.19MB/s
requests: 6045 total, 6049 started, 6045 done, ${requests}
status codes: ${statuses}
`

test('calls that were answered are counted over the time that was asked for', () => {
  const said = summary('6045 succeeded, 0 failed, 0 errored, 0 timeout', '6045 2xx, 0 3xx, 0 4xx, 0 5xx')
  assert.deepEqual(resultOf(said, 0.5), { calls: 6045, perSecond: 12_090 })
})

test('a call that failed, or a status that is no success, fails the turn', () => {
  const right = '6045 2xx, 0 3xx, 0 4xx, 0 5xx'
  assert.throws(() => resultOf(summary('6044 succeeded, 1 failed, 0 errored, 0 timeout', right), 1), /not every call/)
  assert.throws(
    () => resultOf(summary('6045 succeeded, 0 failed, 0 errored, 0 timeout', '6044 2xx, 0 3xx, 1 4xx, 0 5xx'), 1),
    /not every call/,
  )
  assert.throws(() => resultOf('h2load: cannot connect', 1), /h2load said/)
})

test("a server's own errors are counted, without calls that the client ended", () => {
  const line = (code: string, count: number) =>
    `rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="a/B",rpc_response_status_code="${code}",otel_scope_name="x"} ${count}`
  assert.equal(errorsIn([line('OK', 900), line('CANCELLED', 4), line('INTERNAL', 2), line('UNAUTHENTICATED', 1)].join('\n')), 3)
})
