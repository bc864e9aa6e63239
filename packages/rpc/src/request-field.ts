import { type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'

/** A singular string field of a request, found by a dotted path of proto names. */
export interface StringField {
  readonly field: DescField
  /** The value; empty where the field or a message on the way is not set. */
  read(request: Message): string
}

/** Finds the field; `undefined` where the path names none, or one that is not a singular string. */
export function compileStringField(message: DescMessage, path: string): StringField | undefined {
  const steps: DescField[] = []
  let at: DescMessage | undefined = message
  for (const name of path.split('.')) {
    const field: DescField | undefined = at?.fields.find((candidate) => candidate.name === name)
    if (field === undefined) return undefined
    steps.push(field)
    at = field.fieldKind === 'message' ? field.message : undefined
  }
  const last = steps.at(-1)
  if (last?.fieldKind !== 'scalar' || last.scalar !== ScalarType.STRING) return undefined
  return {
    field: last,
    read(request) {
      let value: unknown = request
      for (const field of steps) value = isRecord(value) ? readField(value, field) : undefined
      return typeof value === 'string' ? value : ''
    },
  }
}

/** Members of a generated message, seen without its type. */
export type Fields = Record<string, unknown>

/** Whether `value` is an object, such as a message. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** Value of a field of a generated message, `undefined` where it is not set; members of a oneof included. */
export function readField(message: Fields, field: DescField): unknown {
  if (field.oneof === undefined) return message[field.localName]
  const chosen = message[field.oneof.localName]
  return isRecord(chosen) && chosen.case === field.localName ? chosen.value : undefined
}

/** Sets a field of a generated message that `readField` found set. */
export function writeField(message: Fields, field: DescField, value: unknown): void {
  if (field.oneof === undefined) message[field.localName] = value
  else message[field.oneof.localName] = { case: field.localName, value }
}
