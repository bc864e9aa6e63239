import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf'
import { isFieldError } from '@bufbuild/protobuf/reflect'
import { malformed } from './malformed.ts'
import { parseJson } from './parse-json.ts'

// What a newer client says and we do not know is dropped, not carried along.
const BINARY = { readUnknownFields: false }

/** @throws Refusal MALFORMED_REQUEST, naming the first bad field where the body is JSON. */
export function decodeMessage(desc: DescMessage, bytes: Uint8Array, binary: boolean): Message {
  return binary ? decodeBinary(desc, bytes) : decodeJson(desc, parseJson(bytes))
}

/** @throws Refusal MALFORMED_REQUEST */
export function decodeBinary(desc: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(desc, bytes, BINARY)
  } catch {
    throw malformed('', 'PROTOBUF', `The body is not a ${desc.typeName}.`)
  }
}

/** @throws Refusal MALFORMED_REQUEST, naming the first bad field. */
export function decodeJson(desc: DescMessage, json: JsonValue): Message {
  try {
    return fromJson(desc, json)
  } catch (error) {
    // The reader's own message quotes the value, which may be a secret: it goes nowhere.
    throw explain(desc, json, error)
  }
}

function explain(desc: DescMessage, json: JsonValue, error: unknown): Error {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return malformed('', 'TYPE', 'The body is not a JSON object.')
  for (const name of Object.keys(json)) {
    const field = desc.fields.find((each) => each.jsonName === name || each.name === name)
    if (field === undefined) return malformed(name, 'UNKNOWN_FIELD', 'There is no such field.')
    if (!reads(desc, { [name]: json[name] as JsonValue })) return malformed(field.jsonName, 'TYPE', expected(field))
  }
  // Each member is good by itself, so two of them stand for one field or for one choice.
  const cause = error instanceof Error ? error.cause : undefined
  const name = isFieldError(cause) ? cause.field().name : ''
  return malformed(desc.fields.find((each) => each.name === name)?.jsonName ?? name, 'REPEATED', 'The field is set more than once.')
}

function reads(desc: DescMessage, json: JsonObject): boolean {
  try {
    fromJson(desc, json)
    return true
  } catch {
    return false
  }
}

function expected(field: DescField): string {
  if (field.fieldKind === 'list') return 'An array was expected, with items of the right type.'
  if (field.fieldKind === 'map') return 'An object was expected, with values of the right type.'
  if (field.fieldKind === 'enum') return 'The name of one of the values was expected.'
  if (field.fieldKind === 'message') return MESSAGES.get(field.message.typeName) ?? 'An object of the right form was expected.'
  if (field.scalar === ScalarType.STRING) return 'A string of valid Unicode was expected.'
  if (field.scalar === ScalarType.BOOL) return 'true or false was expected.'
  if (field.scalar === ScalarType.BYTES) return 'A string in base64 was expected.'
  return 'A number within the range of the field was expected.'
}

const MESSAGES = new Map([
  ['google.protobuf.Timestamp', 'A time in RFC 3339 was expected, such as 2030-01-31T12:00:00Z.'],
  ['google.protobuf.Duration', 'A duration in seconds was expected, such as 1.5s.'],
])
