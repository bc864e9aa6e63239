import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { VerifyEmailRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ListInboxItemsResponseSchema } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { SendNotificationRequestSchema } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { BatchGetUsersRequestSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { findNullCharacters } from './null-characters.ts'
import { Refusal } from './refusal.ts'
import { compileRequestCheck } from './validation.ts'

const fieldsOf = (...args: Parameters<typeof findNullCharacters>) => findNullCharacters(...args).map(({ field }) => field)

test('finds U+0000 wherever a string can stand', () => {
  const send = SendNotificationRequestSchema
  assert.deepEqual(fieldsOf(send, create(send, { template: 'a\0', data: { x: 'y', 'k\0': 'v', z: '\0' } })), [
    'template',
    'data["k\\u0000"]',
    'data["z"]',
  ])
  assert.deepEqual(fieldsOf(BatchGetUsersRequestSchema, create(BatchGetUsersRequestSchema, { ids: ['a', '\0b'] })), ['ids[1]'])
  const verify = VerifyEmailRequestSchema
  assert.deepEqual(fieldsOf(verify, create(verify, { proof: { case: 'token', value: 't\0' } })), ['token'])
  const list = ListInboxItemsResponseSchema
  assert.deepEqual(fieldsOf(list, create(list, { items: [{ id: 'a' }, { id: '\0', createTime: { seconds: 0n } }] })), ['items[1].id'])
})

test('finds nothing in good text', () => {
  const send = SendNotificationRequestSchema
  assert.deepEqual(fieldsOf(send, create(send, { template: 'a', data: { x: '\u0001 0 \\0' }, sendTime: { seconds: 0n } })), [])
})

test('a request with U+0000 is refused by field, beside its other violations', () => {
  const check = compileRequestCheck(SendNotificationRequestSchema, [])
  const request = create(SendNotificationRequestSchema, { template: 'a', recipient: 'x', data: { note: '\0' } })
  assert.throws(
    () => check(request),
    (error) => {
      assert.ok(error instanceof Refusal)
      assert.equal(error.reason, 'INVALID_REQUEST')
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ['recipient', 'data["note"]'],
      )
      return true
    },
  )
})
