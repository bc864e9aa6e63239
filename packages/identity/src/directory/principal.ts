import type { Binding } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { type AskedResource, type ConditionPrincipal, conditionPrincipal } from '../conditions/condition.ts'
import type { BoundRole, Verdict } from './bound-role.ts'

/** What of a principal's bindings matters for one permission. */
interface Grants {
  /** Held on everything, always. */
  readonly always: boolean
  /** Held on a resource, under a condition or for a time. */
  readonly sometimes: readonly BoundRole[]
}

/** A question about a principal. */
export interface Asked {
  readonly permission: string
  readonly resource: AskedResource | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What came of one binding. */
export interface Explained {
  readonly binding: Binding
  readonly verdict: Verdict
  /** Where a condition failed. */
  readonly problem: string
}

const nothing: Grants = { always: false, sometimes: [] }

/** How many conditions one decision evaluates at most; what lies behind counts as no. */
export const mostConditions = 100

/** What one person or service account may do, with what their groups may; made when it is first asked for and dropped when any of it changes. */
export class Principal {
  readonly bound: readonly BoundRole[]
  readonly seen: ConditionPrincipal
  readonly #byPermission = new Map<string, Grants>()

  constructor(id: string, groupIds: readonly string[], bound: readonly BoundRole[]) {
    this.bound = bound
    this.seen = conditionPrincipal(id, groupIds)
  }

  allows(asked: Asked): boolean {
    const { always, sometimes } = this.#grants(asked.permission)
    if (always) return true
    if (sometimes.length === 0) return false
    let conditions = 0
    for (const bound of sometimes) {
      if (bound.hasCondition && bound.isInScope(asked) && ++conditions > mostConditions) continue
      if (bound.verdict(asked, this.seen) === 'allows') return true
    }
    return false
  }

  /** What comes of each binding, as {@link allows} goes through them. */
  explain(asked: Asked): Explained[] {
    let conditions = 0
    return this.bound.map((bound) => {
      const { binding } = bound
      const counts = bound.has(asked.permission) && bound.hasCondition && bound.isInScope(asked)
      if (counts && ++conditions > mostConditions) return { binding, verdict: 'not_looked_at', problem: '' }
      const verdict = bound.verdict(asked, this.seen)
      const outcome = verdict === 'condition_failed' ? bound.outcome(asked, this.seen) : undefined
      return { binding, verdict, problem: typeof outcome === 'object' ? outcome.problem : '' }
    })
  }

  /** Whether every permission is held on everything and always. */
  get holdsEverything(): boolean {
    return this.bound.some((bound) => bound.isPlain && bound.permissions === undefined)
  }

  /** Whether there is a resource on which the permission may be held. */
  allowsSome(permission: string): boolean {
    const { always, sometimes } = this.#grants(permission)
    return always || sometimes.length > 0
  }

  #grants(permission: string): Grants {
    let grants = this.#byPermission.get(permission)
    if (grants === undefined) {
      const bound = this.bound.filter((each) => each.has(permission))
      grants =
        bound.length === 0 ? nothing : { always: bound.some((each) => each.isPlain), sometimes: bound.filter((each) => !each.isPlain) }
      this.#byPermission.set(permission, grants)
    }
    return grants
  }
}
