import { create, type DescMessage, type Message } from '@bufbuild/protobuf'
import type { pathToString } from '@bufbuild/protobuf/reflect'
import { createValidator } from '@bufbuild/protovalidate'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { compileCanonicaliser } from './canonical.ts'
import { findNullCharacters } from './null-characters.ts'
import { compileCutter } from './oversize.ts'
import { commonRefusal, type Violation } from './refusal.ts'

/** Brings a request into its canonical form and checks its rules; refuses with every violation. */
export type RequestCheck = (request: Message) => void

// One validator for the process: it keeps what it compiled per message.
const validator = createValidator()

const NO_VIOLATIONS: readonly Violation[] = []

/** Compiles and warms the check of a message, so that no caller waits for it. */
export function compileRequestCheck(schema: DescMessage, problems: string[]): RequestCheck {
  const cut = compileCutter(schema)
  const canonicalise = compileCanonicaliser(schema)
  const warm = validator.validate(schema, create(schema))
  if (warm.kind === 'error') problems.push(`rules of ${schema.typeName} do not compile: ${warm.error.message}`)
  return (request) => {
    const unwritten = joinedViolations(cut(request), canonicalise?.(request), findNullCharacters(schema, request))
    const result = validator.validate(schema, request)
    if (result.kind === 'valid' && unwritten.length === 0) return
    if (result.kind === 'error') throw result.error
    const violations = (result.violations ?? []).map(
      ({ field, message, ruleId }): Violation => ({
        field: jsonPath(field),
        description: readable(ruleId, message),
        reason: ruleId.toUpperCase().replace(/[^A-Z0-9]+/g, '_'),
      }),
    )
    for (const violation of unwritten) if (!violations.some(({ field }) => field === violation.field)) violations.push(violation)
    throw commonRefusal(ErrorReason.INVALID_REQUEST, {}, { violations })
  }
}

/** An expression that itself has the characters that it keeps out is nothing to read, and turns the line that it stands in. */
function readable(ruleId: string, message: string): string {
  return ruleId === 'string.pattern' && /[^ -~]/.test(message) ? 'is blank, or has a character that is not allowed here' : message
}

function joinedViolations(...found: (readonly Violation[] | undefined)[]): readonly Violation[] {
  return found.some((some) => some !== undefined && some.length > 0) ? found.flatMap((some) => some ?? []) : NO_VIOLATIONS
}

type Path = Parameters<typeof pathToString>[0]

/** `user.emailAddress`, `ids[3]`, `data["key"]`: the names of the JSON form. */
function jsonPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (step.kind === 'field') text += `${text === '' ? '' : '.'}${step.jsonName}`
    else if (step.kind === 'oneof') text += `${text === '' ? '' : '.'}${step.name}`
    else if (step.kind === 'list_sub') text += `[${step.index}]`
    else if (step.kind === 'map_sub') text += `[${JSON.stringify(step.key)}]`
    else text += `[${step.typeName}]`
  }
  return text
}
