import type { Binding } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { type Condition, type ConditionPrincipal, compileCondition } from '../conditions/condition.ts'
import type { Asked } from './principal.ts'

/** What came of one binding: `allows`, or why not. */
export type Verdict =
  | 'allows'
  | 'role_lacks_permission'
  | 'other_resource'
  | 'expired'
  | 'condition_false'
  | 'condition_failed'
  | 'not_looked_at'

/** Permissions of a role; undefined is every permission. */
export type RolePermissions = ReadonlySet<string> | undefined

/** A binding together with what its role allows. */
export class BoundRole {
  readonly binding: Binding
  readonly #permissions: RolePermissions
  readonly #expireMs: number
  #condition: Condition | undefined

  constructor(binding: Binding, permissions: RolePermissions) {
    this.binding = binding
    this.#permissions = permissions
    const { expireTime } = binding
    this.#expireMs = expireTime === undefined ? Number.POSITIVE_INFINITY : Number(expireTime.seconds) * 1000 + expireTime.nanos / 1e6
  }

  has(permission: string): boolean {
    return this.#permissions === undefined || this.#permissions.has(permission)
  }

  /** The permissions of the role; undefined is every permission. */
  get permissions(): RolePermissions {
    return this.#permissions
  }

  get hasCondition(): boolean {
    return this.binding.condition !== ''
  }

  /** Holds on everything, always. */
  get isPlain(): boolean {
    return this.binding.resource === '' && !this.hasCondition && this.#expireMs === Number.POSITIVE_INFINITY
  }

  isInScope({ resource, now }: Asked): boolean {
    return this.#expireMs > now && (this.binding.resource === '' || this.binding.resource === resource?.name)
  }

  verdict(asked: Asked, principal: ConditionPrincipal): Verdict {
    if (!this.has(asked.permission)) return 'role_lacks_permission'
    if (this.#expireMs <= asked.now) return 'expired'
    if (!this.isInScope(asked)) return 'other_resource'
    if (!this.hasCondition) return 'allows'
    const outcome = this.outcome(asked, principal)
    if (typeof outcome === 'object') return 'condition_failed'
    return outcome ? 'allows' : 'condition_false'
  }

  /** What comes of the condition; one that cannot be compiled here, because another release accepted it, fails each time. */
  outcome({ permission, resource, now }: Asked, principal: ConditionPrincipal): ReturnType<Condition> {
    this.#condition ??= compiled(this.binding.condition)
    return this.#condition({ principal, resource, permission, now })
  }
}

function compiled(text: string): Condition {
  try {
    return compileCondition(text)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return () => ({ problem })
  }
}
