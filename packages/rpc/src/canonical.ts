import { type DescField, type DescMessage, getOption, type Message, ScalarType } from '@bufbuild/protobuf'
import { Canonical, canonical } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { canonicalEmail } from './email.ts'
import type { Violation } from './refusal.ts'
import { type Fields, isRecord, readField, writeField } from './request-field.ts'

/** Brings a request's fields into their written form, in place; answers the fields that have none. */
export type Canonicaliser = (request: Message) => readonly Violation[]

type Step = (message: Fields, path: string, violations: Violation[]) => void

const NO_VIOLATIONS: readonly Violation[] = []

/** Compiles the `canonical` options of a message and of the messages in it; `undefined` where there are none. */
export function compileCanonicaliser(message: DescMessage): Canonicaliser | undefined {
  const steps = stepsOf(message, new Set())
  if (steps.length === 0) return undefined
  return (request) => {
    const violations: Violation[] = []
    if (isRecord(request)) for (const step of steps) step(request, '', violations)
    return violations.length === 0 ? NO_VIOLATIONS : violations
  }
}

/** Whether the contract gives the field the written form of an e-mail address. */
export function isEmailField(field: DescField): boolean {
  return getOption(field, canonical) === Canonical.EMAIL
}

function stepsOf(message: DescMessage, above: ReadonlySet<DescMessage>): Step[] {
  if (above.has(message)) throw new TypeError(`${message.typeName} contains itself and has canonical fields`)
  const steps: Step[] = []
  for (const field of message.fields) {
    if (field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING && isEmailField(field)) steps.push(emailStep(field))
    if (field.fieldKind === 'message' && hasCanonicalField(field.message, new Set())) {
      const inner = stepsOf(field.message, new Set([...above, message]))
      steps.push((at, path, violations) => {
        const value = readField(at, field)
        if (isRecord(value)) for (const step of inner) step(value, `${path}${field.jsonName}.`, violations)
      })
    }
  }
  return steps
}

function hasCanonicalField(message: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(message)) return false
  seen.add(message)
  return message.fields.some((field) => isEmailField(field) || (field.fieldKind === 'message' && hasCanonicalField(field.message, seen)))
}

function emailStep(field: DescField): Step {
  return (message, path, violations) => {
    const value = readField(message, field)
    if (typeof value !== 'string' || value === '') return
    const email = canonicalEmail(value)
    if (email !== undefined) writeField(message, field, email)
    else
      violations.push({
        field: `${path}${field.jsonName}`,
        description: 'must be a valid email address',
        reason: 'STRING_EMAIL',
      })
  }
}
