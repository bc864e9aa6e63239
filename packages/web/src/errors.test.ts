import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { refusedOf } from './errors.ts'

const reason = { desc: ErrorInfoSchema, value: { reason: 'ERROR_REASON_PASSWORD_GUESSED_TOO_OFTEN' } }
const refusedWith = (...more: { desc: typeof RetryInfoSchema; value: { retryDelay?: { seconds: bigint } } }[]) =>
  refusedOf(new ConnectError('Not now.', Code.ResourceExhausted, undefined, [reason, ...more]))

test('only a refusal that says when is one to come back for', () => {
  assert.equal(refusedWith({ desc: RetryInfoSchema, value: { retryDelay: { seconds: 90n } } }).retryAfterSeconds, 90)
  const { reason: told, retryAfterSeconds } = refusedWith()
  assert.deepEqual([told, retryAfterSeconds], ['PASSWORD_GUESSED_TOO_OFTEN', undefined])
  assert.equal(refusedWith({ desc: RetryInfoSchema, value: {} }).retryAfterSeconds, undefined)
})
