import { type CelInput, celEnv, celList, isCelError, plan } from '@bufbuild/cel'
import { reflect } from '@bufbuild/protobuf/reflect'
import { TimestampSchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { LRUCache } from 'lru-cache'
import { type CheckedCondition, checkCondition } from './check-condition.ts'
import type { Expression } from './parse-condition.ts'

/** A resource that a decision is about. */
export interface AskedResource {
  /** `<type>/<id>`. */
  readonly name: string
  /** The person or service account whom it belongs to; empty where that is nobody, or not known. */
  readonly owner: string
  readonly attributes?: ReadonlyMap<string, string>
}

/** Who asks, as conditions see it; made once for each principal. */
export interface ConditionPrincipal {
  readonly id: string
  readonly groups: CelInput
}

/** What a condition is evaluated over. */
export interface ConditionInput {
  readonly principal: ConditionPrincipal
  readonly resource: AskedResource | undefined
  readonly permission: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What came of a condition: false where it does not hold, a sentence where it cannot be evaluated, which counts as false. */
export type ConditionOutcome = boolean | { readonly problem: string }

/** A condition, ready to be evaluated again and again. */
export type Condition = (input: ConditionInput) => ConditionOutcome

const environment = celEnv()
const noAttributes: ReadonlyMap<string, string> = new Map()
const mostRemembered = 1_000
const remembered = new LRUCache<string, Condition>({ max: mostRemembered })

/** What conditions see of a principal. */
export function conditionPrincipal(id: string, groupIds: readonly string[]): ConditionPrincipal {
  return { id, groups: celList([...groupIds]) }
}

/**
 * Compiles a condition, or finds it compiled: many bindings have the same.
 * @throws ConditionInvalid
 */
export function compileCondition(text: string): Condition {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const condition = compile(text)
  remembered.set(text, condition)
  return condition
}

function compile(text: string): Condition {
  const checked = checkCondition(text)
  const { root, names } = checked
  const values = takeConstants(checked)
  // Under its full name a value is found at once, where `resource` would be a map that has to be made and searched.
  const seen = [...names].map((name) => [name, readers[name] as Reader] as const)
  const usesResource = seen.some(([name]) => name.startsWith('resource.'))
  const evaluate = plan(environment, root)
  return (input) => {
    if (usesResource && input.resource === undefined) return noResource
    const data: Record<string, CelInput> = { ...values }
    for (const [name, read] of seen) data[name] = read(input)
    const result = evaluate(data)
    return isCelError(result) ? { problem: result.message } : result === true
  }
}

/** What is the same at every evaluation is made once, and has names from then on. */
export function takeConstants({ constants }: Pick<CheckedCondition, 'constants'>): Record<string, CelInput> {
  const values: Record<string, CelInput> = {}
  for (const [index, part] of constants.entries()) {
    const value = plan(environment, part)()
    if (isCelError(value)) throw value
    const name = `constant_${index}`
    values[name] = value
    becomeName(part, name)
  }
  return values
}

type Reader = (input: ConditionInput) => CelInput

/** Where the values of the language's names come from. Those of the resource are asked for where there is one. */
const readers: Readonly<Record<string, Reader>> = {
  'principal.id': ({ principal }) => principal.id,
  'principal.groups': ({ principal }) => principal.groups,
  'resource.type': ({ resource }) => resource?.name.slice(0, resource.name.indexOf('/')) ?? '',
  'resource.id': ({ resource }) => resource?.name.slice(resource.name.indexOf('/') + 1) ?? '',
  'resource.owner': ({ resource }) => resource?.owner ?? '',
  'resource.attributes': ({ resource }) => resource?.attributes ?? noAttributes,
  'request.permission': ({ permission }) => permission,
  'request.time': ({ now }) => timeOf(now),
}

const noResource: ConditionOutcome = { problem: 'it looks at a resource, and none was named' }

let lastTime: { readonly ms: number; readonly value: CelInput } = { ms: Number.NaN, value: null }

/** The same moment is made once: whoever asks often asks many times in a millisecond. */
function timeOf(ms: number): CelInput {
  if (lastTime.ms !== ms) lastTime = { ms, value: reflect(TimestampSchema, timestampFromMs(ms)) }
  return lastTime.value
}

/** Puts a name where a part stood. No condition can use it by itself: its names are those of the language. */
function becomeName(part: Expression, name: string): void {
  part.exprKind = { case: 'identExpr', value: { $typeName: 'cel.expr.Expr.Ident', name } }
}
