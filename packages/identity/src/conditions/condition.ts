import { type CelInput, celEnv, celMap, isCelError, plan } from '@bufbuild/cel'
import { reflect } from '@bufbuild/protobuf/reflect'
import { TimestampSchema, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { checkCondition } from './check-condition.ts'
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
export type ConditionPrincipal = CelInput

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

/** What conditions see of a principal. */
export function conditionPrincipal(id: string, groupIds: readonly string[]): ConditionPrincipal {
  return celMap(
    new Map<string, CelInput>([
      ['id', id],
      ['groups', [...groupIds]],
    ]),
  )
}

/**
 * Compiles a condition.
 * @throws ConditionInvalid
 */
export function compileCondition(text: string): Condition {
  const { root, usesResource, constants } = checkCondition(text)
  const values: Record<string, CelInput> = {}
  for (const [index, part] of constants.entries()) {
    const value = plan(environment, part)()
    if (isCelError(value)) throw value
    const name = `constant_${index}`
    values[name] = value
    becomeName(part, name)
  }
  const evaluate = plan(environment, root)
  return ({ principal, resource, permission, now }) => {
    if (usesResource && resource === undefined) return noResource
    const result = evaluate({
      ...values,
      principal,
      request: celMap(
        new Map<string, CelInput>([
          ['time', timeOf(now)],
          ['permission', permission],
        ]),
      ),
      ...(usesResource && resource !== undefined && { resource: resourceOf(resource) }),
    })
    return isCelError(result) ? { problem: result.message } : result === true
  }
}

const noResource: ConditionOutcome = { problem: 'it looks at a resource, and none was named' }

function resourceOf({ name, owner, attributes = noAttributes }: AskedResource): CelInput {
  const slash = name.indexOf('/')
  return celMap(
    new Map<string, CelInput>([
      ['type', name.slice(0, slash)],
      ['id', name.slice(slash + 1)],
      ['owner', owner],
      ['attributes', attributes],
    ]),
  )
}

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
