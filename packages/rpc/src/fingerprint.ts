import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type DescField, type DescMessage, getOption, type MessageShape } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { Sensitivity, sensitivity } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

const NOT_COMPARED = 'request_id'

/**
 * What makes two requests the same: an HMAC-SHA256 (base64url) over the message without its secret fields and its `request_id`.
 * Without the key, and with passwords in it, it would be a fast password hash. Independent of field order, map order and unknown fields.
 */
export function fingerprint<Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc>, key: string | Uint8Array): string {
  const text = JSON.stringify([schema.typeName, parts(reflect(schema, request), true)])
  return createHmac('sha256', secretOf(key)).update(text).digest('base64url')
}

const secrets = new WeakMap<Uint8Array, KeyObject>()

/** Node takes six times as long for bytes as for a key that it has seen. */
function secretOf(key: string | Uint8Array): string | KeyObject {
  if (typeof key === 'string') return key
  const known = secrets.get(key) ?? createSecretKey(key)
  secrets.set(key, known)
  return known
}

function parts(message: ReflectMessage, outermost = false): unknown[] {
  return comparedFields(message.desc)
    .filter((field) => message.isSet(field) && !(outermost && field.name === NOT_COMPARED))
    .map((field) => [field.number, part(message, field)])
}

const compared = new WeakMap<DescMessage, readonly DescField[]>()

/** The fields of a message but the secret ones, by number; looked up once, because reading an option costs more than the hash. */
function comparedFields(schema: DescMessage): readonly DescField[] {
  const known = compared.get(schema)
  if (known !== undefined) return known
  const fields = schema.fields
    .filter((field) => getOption(field, sensitivity) !== Sensitivity.SECRET)
    .toSorted((a, b) => a.number - b.number)
  compared.set(schema, fields)
  return fields
}

function part(message: ReflectMessage, field: DescField): unknown {
  switch (field.fieldKind) {
    case 'message':
      return parts(message.get(field))
    case 'list':
      return [...message.get(field)].map(value)
    case 'map':
      return [...message.get(field)].map(([key, item]) => [String(key), value(item)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    default:
      return value(message.get(field))
  }
}

function value(item: unknown): unknown {
  if (typeof item === 'bigint') return String(item)
  if (item instanceof Uint8Array) return Buffer.from(item).toString('base64')
  // JSON would write all three as null
  if (typeof item === 'number' && !Number.isFinite(item)) return String(item)
  if (typeof item === 'object' && item !== null && 'desc' in item && 'fields' in item) return parts(item as ReflectMessage)
  return item
}
