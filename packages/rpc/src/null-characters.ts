import { type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import type { Violation } from './refusal.ts'
import { isRecord, readField } from './request-field.ts'

/**
 * The fields of a request that hold U+0000. Protobuf and JSON carry it, Postgres keeps it in no text: without this check it would be found
 * deep in a transaction, as a fault of ours.
 */
export function findNullCharacters(schema: DescMessage, request: Message): readonly Violation[] {
  return isRecord(request) ? search(schema, request, '') : []
}

const NONE: readonly Violation[] = []

function search(schema: DescMessage, message: Record<string, unknown>, path: string): readonly Violation[] {
  let found = NONE
  for (const field of schema.fields) {
    const value = readField(message, field)
    if (value === undefined) continue
    const at = `${path}${field.jsonName}`
    if (typeof value === 'string') {
      if (value.includes('\0')) found = [...found, violation(at)]
    } else if (field.fieldKind === 'message') {
      if (isRecord(value)) found = [...found, ...search(field.message, value, `${at}.`)]
    } else if (field.fieldKind === 'list' && Array.isArray(value)) {
      for (const [index, item] of value.entries()) found = [...found, ...searchItem(field.message, item, `${at}[${index}]`)]
    } else if (field.fieldKind === 'map' && isRecord(value)) {
      for (const [key, item] of Object.entries(value)) {
        const where = `${at}[${JSON.stringify(key)}]`
        if (field.mapKey === ScalarType.STRING && key.includes('\0')) found = [...found, violation(where)]
        else found = [...found, ...searchItem(field.message, item, where)]
      }
    }
  }
  return found
}

function searchItem(schema: DescMessage | undefined, item: unknown, path: string): readonly Violation[] {
  if (typeof item === 'string') return item.includes('\0') ? [violation(path)] : NONE
  return schema !== undefined && isRecord(item) ? search(schema, item, `${path}.`) : NONE
}

function violation(field: string): Violation {
  return { field, description: 'must not contain U+0000', reason: 'STRING_NULL_CHARACTER' }
}
