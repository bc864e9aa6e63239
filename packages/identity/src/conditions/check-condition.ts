import { celEnv, isCelError, plan } from '@bufbuild/cel'
import { ConditionInvalid } from './condition-invalid.ts'
import {
  type ConditionName,
  type ConditionType,
  conditionFunctions,
  conditionMethods,
  conditionNames,
  resultOf,
} from './condition-language.ts'
import { type Expression, type ParsedCondition, parseCondition } from './parse-condition.ts'

/** A condition that is right: what it takes to evaluate it. */
export interface CheckedCondition extends ParsedCondition {
  /** What it looks at, such as `resource.owner`. */
  readonly names: ReadonlySet<string>
  /** Parts that are the same at every evaluation: points in time and durations that are written as texts. */
  readonly constants: readonly Expression[]
}

const mostParts = 150
const deepestParts = 40
const environment = celEnv()
const someTime = parseCondition('timestamp("2026-01-01T00:00:00Z")').root

/**
 * Parses a condition and checks its types, so that what can be known to be wrong is told to whoever writes it and not, as a refusal, to those whom it is
 * for. The language is a subset of CEL without loops and patterns (see {@link conditionFunctions}).
 * @throws {@link ConditionInvalid}
 */
export function checkCondition(text: string, names: Names = conditionNames): CheckedCondition {
  return checkExpression(text, names, 'bool')
}

/**
 * The same for what is a text, or true or false, over other names.
 * @throws {@link ConditionInvalid}
 */
export function checkExpression(text: string, names: Names, wanted: 'bool' | 'string'): CheckedCondition {
  const parsed = parseCondition(text)
  const checker = new Checker(parsed, names)
  const type = checker.typeOf(parsed.root, 0)
  const what = wanted === 'bool' ? 'a condition is true or false' : 'a text is needed'
  if (type !== wanted) throw new ConditionInvalid(parsed.positionOf(parsed.root), `${what}, and this is ${inWords(type)}`)
  return { ...parsed, names: checker.names, constants: checker.constants }
}

type Names = Readonly<Record<string, ConditionName>>

class Checker {
  readonly constants: Expression[] = []
  readonly names = new Set<string>()
  readonly #parsed: ParsedCondition
  readonly #names: Names
  #parts = 0

  constructor(parsed: ParsedCondition, names: Names) {
    this.#parsed = parsed
    this.#names = names
  }

  #fail(part: Expression, problem: string): ConditionInvalid {
    return new ConditionInvalid(this.#parsed.positionOf(part), problem)
  }

  typeOf(part: Expression | undefined, depth: number): ConditionType {
    if (part === undefined) throw this.#fail(this.#parsed.root, 'a part is missing')
    if (++this.#parts > mostParts) throw this.#fail(part, `it has more than ${mostParts} parts`)
    if (depth > deepestParts) throw this.#fail(part, 'it is nested too deeply')
    const kind = part.exprKind
    switch (kind.case) {
      case 'constExpr':
        return this.#constant(part, kind.value.constantKind)
      case 'identExpr':
        throw this.#fail(part, nameProblem(kind.value.name, this.#names))
      case 'selectExpr':
        return this.#select(part, kind.value, depth)
      case 'callExpr':
        return this.#call(part, kind.value, depth)
      case 'listExpr':
        return this.#list(part, kind.value.elements, depth)
      case 'comprehensionExpr':
        throw this.#fail(part, 'loops (all, exists, exists_one, filter, map) are not known here')
      default:
        throw this.#fail(part, 'objects are not known here')
    }
  }

  #constant(part: Expression, constant: { readonly case: string | undefined; readonly value?: unknown }): ConditionType {
    switch (constant.case) {
      case 'boolValue':
        return 'bool'
      case 'stringValue':
        return 'string'
      case 'doubleValue':
        return 'double'
      case 'nullValue':
        return 'null'
      case 'int64Value':
        if (BigInt.asIntN(64, constant.value as bigint) !== constant.value) throw this.#fail(part, 'the number is too large')
        return 'int'
      default:
        throw this.#fail(part, 'literals of this kind are not known here')
    }
  }

  #select(part: Expression, { operand, field, testOnly }: Selection, depth: number): ConditionType {
    const name = operand?.exprKind.case === 'identExpr' ? operand.exprKind.value.name : undefined
    if (name !== undefined && !testOnly) {
      this.#parts++
      const fields = Object.hasOwn(this.#names, name) ? this.#names[name] : undefined
      if (fields === undefined) throw this.#fail(operand ?? part, nameProblem(name, this.#names))
      const type = typeof fields === 'object' && Object.hasOwn(fields, field) ? fields[field] : undefined
      if (type === undefined) throw this.#fail(part, `${name} has no ${field}: it has ${Object.keys(fields).join(', ')}`)
      this.names.add(`${name}.${field}`)
      return type
    }
    const type = this.typeOf(operand, depth + 1)
    if (type !== 'map') throw this.#fail(part, `${inWords(type)} has no fields`)
    return testOnly ? 'bool' : 'string'
  }

  #call(part: Expression, call: Call, depth: number): ConditionType {
    const method = call.target !== undefined
    const table = method ? conditionMethods : conditionFunctions
    if (call.function === '_?_:_') return this.#choice(part, call.args, depth)
    const signatures = Object.hasOwn(table, call.function) ? table[call.function] : undefined
    if (signatures === undefined) throw this.#fail(part, `${shown(call.function)} is not known here`)
    const args = method ? [call.target, ...call.args] : call.args
    const types = args.map((arg) => this.typeOf(arg, depth + 1))
    const result = resultOf(signatures, types)
    if (result === undefined) throw this.#fail(part, `${shown(call.function)} does not take ${types.map(inWords).join(' and ')}`)
    if (call.function === 'timestamp' || call.function === 'duration') this.#keepConstant(part, call)
    if (types[0] === 'timestamp' && method && types.length === 2) this.#checkZone(part, call)
    return result
  }

  #choice(part: Expression, [condition, yes, no]: readonly Expression[], depth: number): ConditionType {
    if (this.typeOf(condition, depth + 1) !== 'bool') throw this.#fail(part, 'what stands before ? has to be true or false')
    const type = this.typeOf(yes, depth + 1)
    if (type !== this.typeOf(no, depth + 1)) throw this.#fail(part, 'both sides of : have to be of one type')
    return type
  }

  #list(part: Expression, elements: readonly Expression[], depth: number): ConditionType {
    for (const element of elements) if (this.typeOf(element, depth + 1) !== 'string') throw this.#fail(part, 'lists hold texts only')
    return 'list'
  }

  /** Only literals are points in time and durations: made of what others choose, they would fail late, or be slow. */
  #keepConstant(part: Expression, call: Call): void {
    if (!isText(call.args[0])) throw this.#fail(part, `${call.function} takes a text that is written out`)
    this.#evaluate(part, part)
    this.constants.push(part)
  }

  /** A zone that there is not would fail each time. */
  #checkZone(part: Expression, call: Call): void {
    if (!isText(call.args[0])) throw this.#fail(part, `${call.function} takes a time zone that is written out`)
    this.#evaluate(part, { ...part, exprKind: { case: 'callExpr', value: { ...call, target: someTime } } })
  }

  #evaluate(part: Expression, what: Expression): void {
    if (isCelError(plan(environment, what)())) throw this.#fail(part, 'this text cannot be read')
  }
}

type Selection = Extract<Expression['exprKind'], { case: 'selectExpr' }>['value']
type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value']

function isText(part: Expression | undefined): boolean {
  return part?.exprKind.case === 'constExpr' && part.exprKind.value.constantKind.case === 'stringValue'
}

function nameProblem(name: string, names: Names): string {
  if (Object.hasOwn(names, name)) return `${name} is not a value: name one of its fields`
  return `there is no ${name}: there are ${Object.keys(names).join(', ')}`
}

function shown(name: string): string {
  return name.replace(/^@/, '').replaceAll('_', ' ').trim() || name
}

function inWords(type: ConditionType): string {
  return type === 'int' || type === 'double' ? `a number (${type})` : type === 'string' ? 'a text' : `a ${type}`
}
