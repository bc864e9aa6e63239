import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { Sensitivity, sensitivity } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/** Values that nobody is to find again, and the requests that carry them. */
export class Planted {
  readonly values = new Set<string>()
  #count = 0

  /** A word that stands nowhere else, as a value of a field that the contract calls secret or personal. */
  word(kind: 'secret' | 'personal'): string {
    const word = `planted${kind}${String(++this.#count).padStart(5, '0')}`
    this.values.add(word)
    return word
  }

  /** A request with a word in every text and every bytes that is marked, however deep; numbers and what is not marked stay as they are. */
  requestOf(schema: DescMessage, turn = 0, depth = 0): JsonObject {
    const request: JsonObject = {}
    for (const field of schema.fields) {
      // Of a oneof one field can be set; the others have their turns.
      if (field.oneof && field.oneof.fields[turn % field.oneof.fields.length] !== field) continue
      const value = this.#valueOf(field, turn, depth)
      if (value !== undefined) request[field.jsonName] = value
    }
    return request
  }

  #valueOf(field: DescField, turn: number, depth: number): JsonValue | undefined {
    const kind = markOf(field)
    // Times and the like are no texts.
    if (field.message?.typeName.startsWith('google.')) return undefined
    if (field.fieldKind === 'message') return depth > 4 ? undefined : this.requestOf(field.message, turn, depth + 1)
    if (field.fieldKind === 'list' && field.listKind === 'message')
      return depth > 4 ? undefined : [this.requestOf(field.message, turn, depth + 1)]
    if (kind === undefined) return undefined
    if (field.fieldKind === 'list')
      return field.listKind === 'scalar' && field.scalar === ScalarType.STRING ? [this.#text(field, kind)] : undefined
    if (field.fieldKind !== 'scalar') return undefined
    if (field.scalar === ScalarType.STRING) return this.#text(field, kind)
    return field.scalar === ScalarType.BYTES ? this.#bytes(kind) : undefined
  }

  #text(field: DescField, kind: 'secret' | 'personal'): string {
    const word = this.word(kind)
    return field.name.includes('email') ? `${word}@example.com` : field.name.includes('password') ? `${word} and a staple` : word
  }

  #bytes(kind: 'secret' | 'personal'): string {
    const bytes = Buffer.from(this.word(kind)).toString('base64')
    this.values.add(bytes)
    return bytes
  }

  /** Remembers the secrets in an answer: tokens, keys, codes. */
  learn(schema: DescMessage, answer: Message): void {
    const reflected = reflect(schema, answer)
    for (const field of schema.fields) {
      if (!reflected.isSet(field)) continue
      const value: unknown = reflected.get(field)
      if (markOf(field) === 'secret' && typeof value === 'string' && value.length >= 8) this.values.add(value)
      if (field.fieldKind === 'message') this.learn(field.message, (value as { message: Message }).message)
    }
  }

  /** The values that stand in a text. */
  foundIn(text: string): string[] {
    return [...this.values].filter((value) => text.includes(value))
  }
}

export function markOf(field: DescField): 'secret' | 'personal' | undefined {
  const marked = hasOption(field, sensitivity) ? getOption(field, sensitivity) : undefined
  return marked === Sensitivity.SECRET ? 'secret' : marked === Sensitivity.PERSONAL ? 'personal' : undefined
}

/** Marked fields of a message, however deep, by their path. */
export function markedFields(schema: DescMessage, path = '', depth = 0): string[] {
  return schema.fields.flatMap((field) => {
    const own = markOf(field) === undefined ? [] : [`${path}${field.name}`]
    const below = field.message && depth < 4 ? markedFields(field.message, `${path}${field.name}.`, depth + 1) : []
    return [...own, ...below]
  })
}
