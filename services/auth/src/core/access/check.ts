import type { Resource } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { AskedResource, Principal } from '@gatehouse/identity'
import { commonRefusal } from '@gatehouse/rpc'
import { ErrorReason, refuse } from '../refuse.ts'
import { declaredPermissions } from '../roles/declared-permissions.ts'
import type { AccessFeed } from './access-feed.ts'

/** What decisions stand on. */
export interface CheckDeps {
  readonly now: () => number
  readonly feed: Pick<AccessFeed, 'directory'>
}

/** Who wants to do something. */
export interface PrincipalKey {
  readonly tenant: string
  readonly id: string
}

export interface Question {
  readonly permission: string
  readonly resource?: Resource | undefined
}

const declared = new Set(declaredPermissions)

/** The decision for each question, in their order; `fieldOf` is where the permission of one stands in the request. */
export function check(
  deps: CheckDeps,
  key: PrincipalKey,
  questions: readonly Question[],
  fieldOf: (at: number) => string = () => 'permission',
): boolean[] {
  const principal = principalOf(deps, key)
  const now = deps.now()
  return questions.map(({ permission, resource }, at) => {
    assertDeclared(permission, fieldOf(at))
    return principal?.allows({ permission, resource: asked(resource), now }) ?? false
  })
}

/** What somebody may do on a resource, or on everything. */
export function listPermissions(deps: CheckDeps, key: PrincipalKey, resource: Resource | undefined): string[] {
  const principal = principalOf(deps, key)
  if (principal === undefined) return []
  const about = asked(resource)
  const now = deps.now()
  return declaredPermissions.filter((permission) => principal.allows({ permission, resource: about, now }))
}

/** What this replica knows of somebody. Cut off from the database it knows nothing, and says so. */
export function principalOf({ feed: { directory } }: CheckDeps, { tenant, id }: PrincipalKey): Principal | undefined {
  if (!directory.fresh) throw commonRefusal(CommonReason.DEPENDENCY_UNAVAILABLE, { dependency: 'database' })
  return directory.model.principal({ tenant, id: id.toLowerCase() })
}

export function assertDeclared(permission: string, field = 'permission'): void {
  if (!declared.has(permission)) throw refuse(ErrorReason.PERMISSION_UNKNOWN, { permission }, { field })
}

export function asked(resource: Resource | undefined): AskedResource | undefined {
  return resource && { name: resource.name, owner: resource.owner, attributes: new Map(Object.entries(resource.attributes)) }
}
