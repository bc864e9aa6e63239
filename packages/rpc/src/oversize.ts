import { type DescField, type DescMessage, getOption, type Message } from '@bufbuild/protobuf'
import { type FieldRules, field as fieldRules } from '@gatehouse/contracts/buf/validate/validate_pb'
import type { Violation } from './refusal.ts'
import { type Fields, isRecord, readField, writeField } from './request-field.ts'

/** Cuts what is too large for its rules down to what is still too large, in place, and answers what was. A request of which something was cut is refused. */
export type Cutter = (request: Message) => readonly Violation[]

/** A step answers the value as it stays, which is the same where nothing was cut. */
type Step = (value: unknown, path: string, violations: Violation[]) => unknown

/** Where the contract bounds a text by a pattern and not by a length. */
const longest = 65_536

const NO_VIOLATIONS: readonly Violation[] = []

/**
 * Compiles the sizes that the rules of a message allow. The rules themselves go through a text of four million characters letter by letter, and
 * name every bad item of a list however many there are: whoever sends a few kilobytes, compressed, must not occupy us for a second.
 */
export function compileCutter(message: DescMessage): Cutter {
  const step = stepOfMessage(message, new Set())
  return (request) => {
    const violations: Violation[] = []
    step(request, '', violations)
    return violations.length === 0 ? NO_VIOLATIONS : violations
  }
}

function stepOfMessage(message: DescMessage, above: ReadonlySet<DescMessage>): Step {
  // A message inside itself is bounded by the depth that decoders allow, and by what stands outside of it.
  if (above.has(message)) return (value) => value
  const steps = message.fields.map((field) => ({ field, step: stepOfField(field, new Set([...above, message])) }))
  return (value, path, violations) => {
    if (isRecord(value)) for (const { field, step } of steps) cutField(value, field, step, `${path}${field.jsonName}`, violations)
    return value
  }
}

function cutField(holder: Fields, field: DescField, step: Step, path: string, violations: Violation[]): void {
  const value = readField(holder, field)
  if (value === undefined) return
  const cut = step(value, path, violations)
  if (cut !== value) writeField(holder, field, cut)
}

function stepOfField(field: DescField, above: ReadonlySet<DescMessage>): Step {
  const { type } = getOption(field, fieldRules)
  switch (field.fieldKind) {
    case 'message': {
      const inner = stepOfMessage(field.message, above)
      return (value, path, violations) => inner(value, `${path}.`, violations)
    }
    case 'list': {
      const rules = type.case === 'repeated' ? type.value : undefined
      const maxItems = Number(rules?.maxItems ?? 0n)
      return field.message === undefined ? cutTexts(maxItems, rules?.items) : cutList(maxItems, stepOfMessage(field.message, above))
    }
    case 'map': {
      const rules = type.case === 'map' ? type.value : undefined
      const inner = field.message === undefined ? cutText(rules?.values) : stepOfMessage(field.message, above)
      return cutMap(Number(rules?.maxPairs ?? 0n), inner, field.message === undefined ? '' : '.')
    }
    default:
      return cutText(getOption(field, fieldRules))
  }
}

function boundOf(rules: FieldRules | undefined): number {
  return rules?.type.case === 'string' ? Number(rules.type.value.maxLen) : 0
}

/** A code point is two units at most, so what is longer than that is too long however it is counted. */
function unitsOf(bound: number): number {
  return bound === 0 ? longest : 2 * bound
}

function cutText(rules: FieldRules | undefined): Step {
  const bound = boundOf(rules)
  const units = unitsOf(bound)
  const description = `must be at most ${bound === 0 ? longest : bound} characters`
  return (value, path, violations) => {
    if (typeof value !== 'string' || value.length <= units) return value
    violations.push({ field: path, description, reason: 'STRING_MAX_LEN' })
    return value.slice(0, units + 1)
  }
}

function cutItems(value: unknown[], bound: number, path: string, violations: Violation[]): void {
  if (bound === 0 || value.length <= bound) return
  violations.push({ field: path, description: `must contain no more than ${bound} item(s)`, reason: 'REPEATED_MAX_ITEMS' })
  value.length = bound + 1
}

function cutList(bound: number, step: Step): Step {
  return (value, path, violations) => {
    if (!Array.isArray(value)) return value
    cutItems(value, bound, path, violations)
    for (const [index, item] of value.entries()) value[index] = step(item, `${path}[${index}].`, violations)
    return value
  }
}

/** A list of texts has a path for each only where one is too long: a hundred ids are looked at at every call. */
function cutTexts(bound: number, rules: FieldRules | undefined): Step {
  const cut = cutText(rules)
  const units = unitsOf(boundOf(rules))
  return (value, path, violations) => {
    if (!Array.isArray(value)) return value
    cutItems(value, bound, path, violations)
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      if (typeof item === 'string' && item.length > units) value[index] = cut(item, `${path}[${index}]`, violations)
    }
    return value
  }
}

function cutMap(bound: number, step: Step, end: string): Step {
  return (value, path, violations) => {
    if (!isRecord(value)) return value
    const entries = Object.entries(value)
    if (bound > 0 && entries.length > bound) {
      violations.push({ field: path, description: `map must be at most ${bound} entries`, reason: 'MAP_MAX_PAIRS' })
      entries.length = bound + 1
    }
    for (const entry of entries) {
      const [key, item] = entry
      if (key.length > longest) violations.push({ field: path, description: 'has a key that is too long', reason: 'STRING_MAX_LEN' })
      entry[0] = key.slice(0, longest)
      entry[1] = step(item, `${path}[${JSON.stringify(entry[0])}]${end}`, violations)
    }
    return violations.length === 0 ? value : Object.fromEntries(entries)
  }
}
