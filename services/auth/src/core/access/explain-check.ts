import { create } from '@bufbuild/protobuf'
import { BindingVerdict, type ExplainedBinding, ExplainedBindingSchema } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { Verdict } from '@gatehouse/identity'
import { asked, assertDeclared, type CheckDeps, type PrincipalKey, principalOf, type Question } from './check.ts'

const verdicts: Readonly<Record<Verdict, BindingVerdict>> = {
  allows: BindingVerdict.ALLOWS,
  role_lacks_permission: BindingVerdict.ROLE_LACKS_PERMISSION,
  other_resource: BindingVerdict.OTHER_RESOURCE,
  expired: BindingVerdict.EXPIRED,
  condition_false: BindingVerdict.CONDITION_FALSE,
  condition_failed: BindingVerdict.CONDITION_FAILED,
  not_looked_at: BindingVerdict.NOT_LOOKED_AT,
}

const mostExplained = 200

/** The decision and what came of every binding that could have brought it about. */
export function explainCheck(
  deps: CheckDeps,
  key: PrincipalKey,
  { permission, resource }: Question,
): { allowed: boolean; bindings: ExplainedBinding[] } {
  assertDeclared(permission)
  const principal = principalOf(deps, key)
  const question = { permission, resource: asked(resource), now: deps.now() }
  const explained = (principal?.explain(question) ?? []).map(({ binding, verdict, problem }) =>
    create(ExplainedBindingSchema, { binding, verdict: verdicts[verdict], problem }),
  )
  const allowing = explained.filter(({ verdict }) => verdict === BindingVerdict.ALLOWS)
  const others = explained.filter(({ verdict }) => verdict !== BindingVerdict.ALLOWS)
  return { allowed: principal?.allows(question) ?? false, bindings: [...allowing, ...others].slice(0, mostExplained) }
}
