import { type DescField, type DescMessage, getOption, hasOption, isMessage, type Message, type Registry } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { Sensitivity, sensitivity } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'

/**
 * A message as plain JSON for a log line: fields that the contract calls personal or secret are replaced by `[personal]` and `[secret]`, bytes by
 * their length, and what is not set is left out.
 */
export function redact(schema: DescMessage, message: Message): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const reflected = reflect(schema, message)
  for (const field of schema.fields) {
    if (!reflected.isSet(field)) continue
    fields[field.jsonName] =
      marked(field) ?? plain(field, (message as unknown as Record<string, unknown>)[field.localName] ?? oneofValue(field, message))
  }
  return fields
}

/** `[personal]`, `[secret]`, or nothing where the contract does not say so. */
export function marked(field: DescField): string | undefined {
  if (!hasOption(field, sensitivity)) return undefined
  const value = getOption(field, sensitivity)
  return value === Sensitivity.SECRET ? '[secret]' : value === Sensitivity.PERSONAL ? '[personal]' : undefined
}

function oneofValue(field: DescField, message: Message): unknown {
  if (!field.oneof) return undefined
  return ((message as unknown as Record<string, unknown>)[field.oneof.localName] as { value?: unknown } | undefined)?.value
}

function plain(field: DescField, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `[${value.length} bytes]`
  if (Array.isArray(value)) return value.map((each) => plain(field, each))
  if (field.message && isMessage(value)) return redact(field.message, value)
  if (field.fieldKind === 'map' && typeof value === 'object' && value !== null) return `[${Object.keys(value).length} entries]`
  return value
}

/** Replaces every message among the values of a log line by its redacted form. */
export function redactMessages(fields: Record<string, unknown>, registry: Registry): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const [name, value] of Object.entries(fields)) {
    if (!isMessage(value)) continue
    const schema = registry.getMessage(value.$typeName)
    copy ??= { ...fields }
    copy[name] = schema ? redact(schema, value) : `[${value.$typeName}]`
  }
  return copy ?? fields
}
