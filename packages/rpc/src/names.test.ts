import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { create, getOption } from '@bufbuild/protobuf'
import { field as fieldRules } from '@gatehouse/contracts/buf/validate/validate_pb'
import { SignUpRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import {
  CreateUserRequestSchema,
  RegisterUserRequestSchema,
  UpdateUserRequestSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Refusal } from './refusal.ts'
import { compileRequestCheck } from './validation.ts'

const email = 'ada@example.com'
const requests = [
  [SignUpRequestSchema, { email, password: 'x' }],
  [CreateUserRequestSchema, { email }],
  [RegisterUserRequestSchema, { id: randomUUID(), email }],
  [UpdateUserRequestSchema, { id: randomUUID() }],
] as const

/** The rules that a name breaks in any of the requests that have one, as `Request REASON`. */
function broken(name: string): string[] {
  return requests.flatMap(([schema, rest]) => {
    try {
      compileRequestCheck(schema, [])(create(schema, { ...rest, name }))
      return []
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return error.violations.map(({ field, reason }) => `${schema.name} ${field} ${reason}`)
    }
  })
}

const everywhere = (reason: string) => requests.map(([schema]) => `${schema.name} name ${reason}`)

test('a name has something to see', () => {
  for (const name of [' ', '   ', '\u00a0', '\u2003 \u3000', '\u200b', '\u2060\ufeff', ' '.repeat(200)])
    assert.deepEqual(broken(name), everywhere('STRING_PATTERN'), JSON.stringify(name))
  assert.deepEqual(broken(''), everywhere('STRING_MIN_LEN'))
})

test('a name has no control characters and turns no text around', () => {
  const points = [0x01, 0x09, 0x0a, 0x0d, 0x1f, 0x7f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069]
  for (const point of points)
    for (const name of [`Ada${String.fromCodePoint(point)}`, `${String.fromCodePoint(point)}Ada`, ` ${String.fromCodePoint(point)} `])
      assert.deepEqual(broken(name), everywhere('STRING_PATTERN'), JSON.stringify(name))
})

test('names of the world are names', () => {
  const names = [
    '  Ada ',
    'A',
    'José',
    'Jose\u0301',
    '李',
    '李\u3000小龍',
    '👩‍🚀',
    'O’Brien-Smith, Jr.',
    'שרה',
    '\u200fعلی\u200cرضا',
    'x'.repeat(200),
    '𝒜'.repeat(200),
  ]
  for (const name of names) assert.deepEqual(broken(name), [], JSON.stringify(name))
})

test('the pattern means the same to ECMAScript, which reads it in the OpenAPI document', () => {
  const type = getOption(SignUpRequestSchema.field.name, fieldRules).type
  const pattern = new RegExp(type.case === 'string' ? type.value.pattern : '', 'u')
  for (const name of ['  Ada ', 'José', '李', '👩‍🚀']) assert.match(name, pattern)
  for (const name of ['   ', '\u3000', 'Ada\n', '\u202eAda', 'Ada\u2066']) assert.doesNotMatch(name, pattern)
})
