import { parse } from '@bufbuild/cel'
import { ConditionInvalid } from './condition-invalid.ts'

/** A part of a condition, as CEL's parser makes it. */
export type Expression = ReturnType<typeof parse>['expr']

/** A condition that parses and is not too large. */
export interface ParsedCondition {
  readonly root: Expression
  /** Where a part begins, in characters from 1. */
  positionOf(part: Expression): number
}

/** Longest text of a condition. */
export const longestCondition = 1_000
const deepestNest = 24

/**
 * Parses a condition. Its length and the depth of its brackets are looked at before the parser, which descends into each.
 * @throws {@link ConditionInvalid}
 */
export function parseCondition(text: string): ParsedCondition {
  if (text.length > longestCondition) throw new ConditionInvalid(longestCondition + 1, `it is longer than ${longestCondition} characters`)
  const tooDeep = placeTooDeep(text)
  if (tooDeep !== undefined) throw new ConditionInvalid(tooDeep, 'it is nested too deeply')
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(text)
  } catch (error) {
    throw inWords(text, error)
  }
  const positions = parsed.sourceInfo?.positions ?? {}
  return { root: parsed.expr, positionOf: (part) => (positions[String(part.id)] ?? 0) + 1 }
}

function placeTooDeep(text: string): number | undefined {
  let depth = 0
  for (const [index, character] of [...text].entries()) {
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character)) depth--
    if (depth > deepestNest) return index + 1
  }
  return undefined
}

function inWords(text: string, error: unknown): ConditionInvalid {
  const { location } = error as { location?: { start?: { offset?: number } } }
  const offset = location?.start?.offset
  // The parser has no place for a literal that cannot be.
  if (offset === undefined) return new ConditionInvalid(1, 'it holds a literal that cannot be')
  const found = text.slice(offset).trim()
  return new ConditionInvalid(offset + 1, found === '' ? 'it ends too early' : `${[...found][0]} does not fit here`)
}
