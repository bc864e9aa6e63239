import { type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import type { Violation } from './refusal.ts'
import { isRecord, readField } from './request-field.ts'

/**
 * The fields of a request that hold U+0000. Protobuf and JSON carry it, Postgres keeps it in no text: without this check it would be found
 * deep in a transaction, as a fault of ours.
 */
export function findNullCharacters(schema: DescMessage, request: Message): readonly Violation[] {
  const found: Violation[] = []
  if (isRecord(request)) search(schema, request, '', found)
  return found
}

/** Paths are put together where something is found or goes deeper: a list of a hundred ids is looked through without a word. */
function search(schema: DescMessage, message: Record<string, unknown>, path: string, found: Violation[]): void {
  for (const field of schema.fields) {
    const value = readField(message, field)
    if (value === undefined) continue
    if (typeof value === 'string') {
      if (value.includes('\0')) found.push(violation(`${path}${field.jsonName}`))
    } else if (field.fieldKind === 'message') {
      if (isRecord(value)) search(field.message, value, `${path}${field.jsonName}.`, found)
    } else if (field.fieldKind === 'list' && Array.isArray(value)) {
      for (let index = 0; index < value.length; index++)
        if (isSuspect(value[index])) searchItem(field.message, value[index], `${path}${field.jsonName}[${index}]`, found)
    } else if (field.fieldKind === 'map' && isRecord(value)) {
      for (const [key, item] of Object.entries(value)) {
        const where = `${path}${field.jsonName}[${JSON.stringify(key)}]`
        if (field.mapKey === ScalarType.STRING && key.includes('\0')) found.push(violation(where))
        else searchItem(field.message, item, where, found)
      }
    }
  }
}

function isSuspect(item: unknown): boolean {
  return typeof item === 'string' ? item.includes('\0') : isRecord(item)
}

function searchItem(schema: DescMessage | undefined, item: unknown, path: string, found: Violation[]): void {
  if (typeof item === 'string') {
    if (item.includes('\0')) found.push(violation(path))
  } else if (schema !== undefined && isRecord(item)) search(schema, item, `${path}.`, found)
}

function violation(field: string): Violation {
  return { field, description: 'must not contain U+0000', reason: 'STRING_NULL_CHARACTER' }
}
