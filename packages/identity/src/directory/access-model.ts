import type { AccessFact } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { Principal } from './principal.ts'
import { TenantAccess } from './tenant-access.ts'

/** Who may do what, in every tenant. */
export class AccessModel {
  readonly #tenants = new Map<string, TenantAccess>()
  readonly #builtIn = new Map<string, ReadonlySet<string>>()

  /** Undefined where nothing is bound. */
  principal({ tenant, id }: { readonly tenant: string; readonly id: string }): Principal | undefined {
    return this.#tenants.get(tenant)?.principal(id)
  }

  tenants(): readonly string[] {
    return [...this.#tenants.keys()]
  }

  /** Answers the tenants that are concerned. */
  apply(fact: AccessFact): readonly string[] {
    if (fact.tenant === '') return this.#applyToAll(fact)
    let tenant = this.#tenants.get(fact.tenant)
    if (tenant === undefined) {
      tenant = new TenantAccess(this.#builtIn)
      this.#tenants.set(fact.tenant, tenant)
    }
    tenant.apply(fact)
    return [fact.tenant]
  }

  /** A role without a tenant is part of the product. */
  #applyToAll({ fact }: AccessFact): readonly string[] {
    if (fact.case !== 'role') return []
    this.#builtIn.set(fact.value.name, new Set(fact.value.permissions))
    for (const tenant of this.#tenants.values()) tenant.forget()
    return this.tenants()
  }
}
