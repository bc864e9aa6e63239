import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DescMethod, getOption } from '@bufbuild/protobuf'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { limits } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { secretSeconds } from './secret-lifetimes.ts'

const silentWindows = (method: DescMethod): number[] =>
  getOption(method, limits).flatMap((limit) => (limit.silent ? [Number(limit.window?.seconds ?? 0n)] : []))

// With a shorter life, a stranger who uses the limit up when a window begins would leave the owner without a link until it ends.
test('the last mail stays good for as long as a silent limit can hold back the next', () => {
  const { requestPasswordReset, resendVerification } = AccountService.method
  assert.equal(silentWindows(requestPasswordReset).length, 1)
  for (const seconds of silentWindows(requestPasswordReset)) assert.ok(secretSeconds.reset_password.token >= seconds)
  for (const seconds of silentWindows(resendVerification)) assert.ok(secretSeconds.verify_email.token >= seconds)
})
