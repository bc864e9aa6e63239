import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { SignUpRequestSchema, VerifyEmailRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { MarkInboxItemsReadRequestSchema } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { SendNotificationRequestSchema } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { compileCutter } from './oversize.ts'
import { Refusal } from './refusal.ts'
import { compileRequestCheck } from './validation.ts'

const huge = 4_000_000

/** The violations as `field REASON`. */
function violationsOf<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): string[] {
  try {
    compileRequestCheck(schema, [])(create(schema, init))
    return []
  } catch (error) {
    assert.ok(error instanceof Refusal)
    return error.violations.map(({ field, reason }) => `${field} ${reason}`)
  }
}

const signUp = { email: 'ada@example.com', password: 'x', name: 'Ada' }
const send = { template: 'announcement', recipient: randomUUID() }

test('what is too large is refused by field, as by its rules', () => {
  assert.deepEqual(violationsOf(SignUpRequestSchema, { ...signUp, name: 'a'.repeat(huge) }), ['name STRING_MAX_LEN'])
  assert.deepEqual(violationsOf(SignUpRequestSchema, { ...signUp, name: 'a'.repeat(201), password: 'x'.repeat(huge) }), [
    'password STRING_MAX_LEN',
    'name STRING_MAX_LEN',
  ])
  const proof = { case: 'code', value: '1'.repeat(huge) } as const
  assert.ok(violationsOf(VerifyEmailRequestSchema, { challengeId: randomUUID(), proof }).includes('code STRING_PATTERN'))
  assert.deepEqual(violationsOf(SendNotificationRequestSchema, { ...send, template: 'a'.repeat(huge) }), ['template STRING_PATTERN'])
  assert.deepEqual(violationsOf(SendNotificationRequestSchema, { ...send, data: { title: 'a'.repeat(huge) } }), [
    'data["title"] STRING_MAX_LEN',
  ])
})

test('of too many items and pairs no more are named than would be allowed', () => {
  const ids = Array.from({ length: 100_000 }, () => 'x')
  const items = violationsOf(MarkInboxItemsReadRequestSchema, { ids })
  assert.ok(items.includes('ids REPEATED_MAX_ITEMS'))
  assert.ok(items.length < 210, String(items.length))
  const data = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`K${index}`, 'v']))
  const pairs = violationsOf(SendNotificationRequestSchema, { ...send, data })
  assert.ok(pairs.includes('data MAP_MAX_PAIRS'))
  assert.ok(pairs.length < 60, String(pairs.length))
})

test('what fits stays as it came, to the letter', () => {
  const name = '🗝'.repeat(200)
  assert.deepEqual(violationsOf(SignUpRequestSchema, { ...signUp, name }), [])
  const request = create(SendNotificationRequestSchema, { ...send, data: { title: '🗝'.repeat(20_000), text: '' } })
  const before = structuredClone(request.data)
  const { data } = request
  assert.deepEqual(compileCutter(SendNotificationRequestSchema)(request), [])
  assert.equal(request.data, data)
  assert.deepEqual(request.data, before)
  assert.deepEqual(violationsOf(MarkInboxItemsReadRequestSchema, { ids: Array.from({ length: 200 }, () => randomUUID()) }), [])
})
