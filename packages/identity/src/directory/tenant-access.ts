import { type AccessFact, type Binding, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { BoundRole, type RolePermissions } from './bound-role.ts'
import { Principal } from './principal.ts'

/** The role that has every permission, also one that only a later release declares. */
export const administratorRole = 'administrator'

const none: ReadonlySet<string> = new Set()
const remembered = 10_000

/** Who may do what in one tenant. */
export class TenantAccess {
  readonly #roles = new Map<string, ReadonlySet<string>>()
  readonly #bindings = new Map<string, Binding>()
  readonly #bindingsOf = new Map<string, Set<Binding>>()
  readonly #groupsOf = new Map<string, Set<string>>()
  readonly #principals = new Map<string, Principal>()
  readonly #builtIn: ReadonlyMap<string, ReadonlySet<string>>

  /** `builtIn` are the roles of every tenant. */
  constructor(builtIn: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#builtIn = builtIn
  }

  /** Undefined where nothing is bound. */
  principal(id: string): Principal | undefined {
    const known = this.#principals.get(id)
    if (known !== undefined) return known
    const groups = this.#groupsOf.get(id)
    if (groups === undefined && !this.#bindingsOf.has(id)) return undefined
    const groupIds = [...(groups ?? [])]
    const bindings = [id, ...groupIds].flatMap((each) => [...(this.#bindingsOf.get(each) ?? [])])
    const bound = bindings.map((binding) => new BoundRole(binding, this.#permissionsOf(binding.role)))
    const principal = new Principal(id, groupIds, bound)
    if (this.#principals.size >= remembered) this.#principals.clear()
    this.#principals.set(id, principal)
    return principal
  }

  apply({ fact }: AccessFact): void {
    switch (fact.case) {
      case 'role':
        this.#roles.set(fact.value.name, new Set(fact.value.permissions))
        this.#principals.clear()
        break
      case 'roleGone':
        this.#roles.delete(fact.value)
        this.#principals.clear()
        break
      case 'member':
        put(this.#groupsOf, fact.value.memberId, fact.value.groupId)
        this.#principals.delete(fact.value.memberId)
        break
      case 'memberGone':
        take(this.#groupsOf, fact.value.memberId, fact.value.groupId)
        this.#principals.delete(fact.value.memberId)
        break
      case 'binding':
        this.#bind(fact.value)
        break
      case 'bindingGone':
        this.#unbind(fact.value)
    }
  }

  /** What every principal may do has to be looked at anew: a built-in role came. */
  forget(): void {
    this.#principals.clear()
  }

  #permissionsOf(role: string): RolePermissions {
    return role === administratorRole ? undefined : (this.#builtIn.get(role) ?? this.#roles.get(role) ?? none)
  }

  #bind(binding: Binding): void {
    this.#unbind(binding.id)
    this.#bindings.set(binding.id, binding)
    put(this.#bindingsOf, binding.subject?.id ?? '', binding)
    this.#forgetSubject(binding)
  }

  #unbind(id: string): void {
    const binding = this.#bindings.get(id)
    if (binding === undefined) return
    this.#bindings.delete(id)
    take(this.#bindingsOf, binding.subject?.id ?? '', binding)
    this.#forgetSubject(binding)
  }

  #forgetSubject({ subject }: Binding): void {
    if (subject?.kind === SubjectKind.GROUP) this.#principals.clear()
    else this.#principals.delete(subject?.id ?? '')
  }
}

function put<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([value]))
  else set.add(value)
}

function take<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  if (set?.delete(value) && set.size === 0) sets.delete(key)
}
