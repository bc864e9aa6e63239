import { type CelInput, celEnv, celList, isCelError, plan } from '@bufbuild/cel'
import { checkExpression } from './check-condition.ts'
import { takeConstants } from './condition.ts'
import type { ConditionName } from './condition-language.ts'

/** What a provider elsewhere says of somebody, as the expressions of a mapping see it. */
export interface SeenIdentity {
  readonly issuer: string
  readonly subject: string
  readonly email: string
  readonly name: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** Every other claim that is a text, a number or true or false, as a text. */
  readonly claims: ReadonlyMap<string, string>
}

const names: Readonly<Record<string, ConditionName>> = {
  identity: { issuer: 'string', subject: 'string', email: 'string', name: 'string', groups: 'list', roles: 'list', claims: 'map' },
}

const environment = celEnv()

/**
 * Compiles a text of a mapping, in the language of conditions, over `identity`.
 * @throws ConditionInvalid
 */
export function compileIdentityText(text: string): (identity: SeenIdentity) => string | undefined {
  const evaluate = compile(text, 'string')
  return (identity) => {
    const value = evaluate(identity)
    return typeof value === 'string' ? value : undefined
  }
}

/**
 * Compiles a condition of a mapping. What cannot be evaluated, a claim that is not there, counts as no.
 * @throws ConditionInvalid
 */
export function compileIdentityCondition(text: string): (identity: SeenIdentity) => boolean {
  const evaluate = compile(text, 'bool')
  return (identity) => evaluate(identity) === true
}

function compile(text: string, type: 'bool' | 'string'): (identity: SeenIdentity) => unknown {
  const checked = checkExpression(text, names, type)
  const values = takeConstants(checked)
  const evaluate = plan(environment, checked.root)
  return ({ issuer, subject, email, name, groups, roles, claims }) => {
    const data: Record<string, CelInput> = {
      ...values,
      'identity.issuer': issuer,
      'identity.subject': subject,
      'identity.email': email,
      'identity.name': name,
      'identity.groups': celList([...groups]),
      'identity.roles': celList([...roles]),
      'identity.claims': claims,
    }
    const result = evaluate(data)
    return isCelError(result) ? undefined : result
  }
}
