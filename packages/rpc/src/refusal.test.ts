import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { ErrorReason as AuthReason, ErrorReasonSchema as AuthReasonSchema } from '@gatehouse/contracts/gatehouse/auth/v1/error_reason_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { ErrorReason, ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { toConnectError } from './answer-error.ts'
import { commonRefusal, type RefusalExtra, refusals } from './refusal.ts'

const refuse = refusals(ErrorReasonSchema)

test("a refusal has its code, sentence and domain from the service's contract", () => {
  const refusal = refuse(ErrorReason.USER_STATE, { state: 'SUSPENDED' })
  assert.equal(refusal.reason, 'USER_STATE')
  assert.equal(refusal.domain, 'user.gatehouse')
  assert.equal(refusal.code, Code.FailedPrecondition)
  assert.equal(refusal.message, "The user's state does not allow this.")
  assert.equal(commonRefusal(CommonReason.WRONG_TENANT).domain, 'gatehouse')
})

test('it travels as one ErrorInfo', () => {
  const error = toConnectError(refuse(ErrorReason.USER_STATE, { state: 'SUSPENDED' }), 'a'.repeat(32))
  assert.equal(error.rawMessage, "The user's state does not allow this.")
  assert.equal(error.details.length, 1)
  const [info] = error.findDetails(ErrorInfoSchema)
  assert.deepEqual([info?.reason, info?.domain, info?.metadata], ['USER_STATE', 'user.gatehouse', { state: 'SUSPENDED' }])
  assert.equal(error.metadata.get('x-trace-id'), 'a'.repeat(32))
})

test('violations travel as BadRequest, the time to come back as RetryInfo', () => {
  const bad = toConnectError(
    commonRefusal(CommonReason.INVALID_REQUEST, {}, { violations: [{ field: 'user.email', description: 'no', reason: 'STRING_EMAIL' }] }),
  )
  assert.deepEqual(
    bad.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field, description, reason }) => [field, description, reason]),
    [['user.email', 'no', 'STRING_EMAIL']],
  )
  const late = toConnectError(commonRefusal(CommonReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: 90 }))
  assert.equal(late.code, Code.ResourceExhausted)
  assert.equal(late.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 90n)
  for (const stays of [CommonReason.REQUEST_TOO_LARGE, CommonReason.LIMIT_EXCEEDED])
    assert.deepEqual(toConnectError(commonRefusal(stays)).findDetails(RetryInfoSchema), [], 'nobody is told to come again for nothing')
})

test('an invalid argument names the field of the contract, unless another one or violations are given', () => {
  const violationsOf = (extra?: RefusalExtra) =>
    toConnectError(commonRefusal(CommonReason.PAGE_TOKEN_INVALID, {}, extra))
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, description, reason }) => [field, description, reason]))
  assert.deepEqual(violationsOf(), [['pageToken', 'The page_token is not valid.', 'PAGE_TOKEN_INVALID']])
  assert.deepEqual(violationsOf({ field: 'data["x"]' }), [['data["x"]', 'The page_token is not valid.', 'PAGE_TOKEN_INVALID']])
  assert.deepEqual(violationsOf({ violations: [{ field: 'other', description: 'no' }] }), [['other', 'no', '']])
  const invalid = refusals(AuthReasonSchema)(AuthReason.CHALLENGE_INVALID)
  assert.deepEqual(invalid.violations, [], 'strangers do not learn what is wrong')
  assert.deepEqual(refuse(ErrorReason.USER_STATE, { state: 'SUSPENDED' }, { field: 'id' }).violations, [], 'the request is right')
})

test('a reason that the contract does not have is a mistake of the programmer', () => {
  assert.throws(() => refuse(ErrorReason.UNSPECIFIED), TypeError)
})
