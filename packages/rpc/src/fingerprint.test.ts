import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { SignUpRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { SendNotificationRequestSchema } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { fingerprint } from './fingerprint.ts'

const KEY = 'k'.repeat(32)
const signUp = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada', requestId: 'a' }
const of = (changes: Partial<typeof signUp> = {}, key = KEY) =>
  fingerprint(SignUpRequestSchema, create(SignUpRequestSchema, { ...signUp, ...changes }), key)

test('the request id and secret fields make no difference, everything else does', () => {
  assert.equal(of(), of({ requestId: 'b' }))
  assert.equal(of(), of({ password: 'another one altogether' }))
  assert.notEqual(of(), of({ email: 'bob@example.com' }))
  assert.notEqual(of(), of({ name: '' }))
})

test('another key makes another fingerprint', () => {
  assert.notEqual(of(), of({}, 'x'.repeat(32)))
})

test('the order of a map and unknown fields make no difference', () => {
  const field = SendNotificationRequestSchema.fields.find(({ fieldKind }) => fieldKind === 'map')
  assert.equal(field?.localName, 'data')
  const one = create(SendNotificationRequestSchema, { data: { a: '1', b: '2' } })
  const other = create(SendNotificationRequestSchema, { data: { b: '2', a: '1' } })
  assert.equal(fingerprint(SendNotificationRequestSchema, one, KEY), fingerprint(SendNotificationRequestSchema, other, KEY))
  const unknown = fromBinary(
    SendNotificationRequestSchema,
    Buffer.concat([toBinary(SendNotificationRequestSchema, one), Buffer.from([0xfa, 0x7f, 1, 65])]),
  )
  assert.equal(fingerprint(SendNotificationRequestSchema, unknown, KEY), fingerprint(SendNotificationRequestSchema, one, KEY))
  assert.notEqual(
    fingerprint(SendNotificationRequestSchema, create(SendNotificationRequestSchema, { data: { a: '2', b: '1' } }), KEY),
    fingerprint(SendNotificationRequestSchema, one, KEY),
  )
})
