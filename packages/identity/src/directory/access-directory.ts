import type { AccessFact } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import type { Person } from '../caller.ts'
import type { AskedResource } from '../conditions/condition.ts'
import { AccessModel } from './access-model.ts'

/** Decides what people and service accounts may do. */
export interface AccessDecider {
  /** Whether somebody may do what takes the permission, on the resource where one is named. */
  allows(person: Person, permission: string, resource?: AskedResource): boolean
  /** Whether there may be a resource on which they may: then the request has to be looked at. */
  allowsSome(person: Person, permission: string): boolean
  /** Calls back when what is bound in a tenant changed; answers how to stop that. For streams that must end with the permission. */
  onChange(listener: (tenant: string) => void): () => void
}

/** What is bound, as this process knows it. */
export interface AccessDirectory extends AccessDecider {
  /** Whether decisions follow what is bound; otherwise the claim of the token decides. */
  readonly fresh: boolean
  /** Whether somebody can do everything, on everything and always, by what was told last, however long ago; undefined where nothing was. */
  holdsEverything(principal: { readonly tenant: string; readonly id: string }): boolean | undefined
}

/** How long the directory is believed after the last word of auth. */
export const freshMs = 10_000

/** A directory that is told what is bound. */
export interface FedDirectory extends AccessDirectory {
  /** Takes facts in that take the place of what was known about the same. */
  apply(facts: readonly AccessFact[]): void
  /** Everything there is takes the place of all that was known. */
  replace(model: AccessModel): void
  /** Auth has a word: everything from before this time (milliseconds since 1970) is known. */
  heard(asOfTime: number): void
  readonly model: AccessModel
}

/** `now` is the clock of expiries and conditions, in milliseconds since 1970; `elapsed` one that is never put right, in milliseconds. */
export function createAccessDirectory(now: () => number = Date.now, elapsed: () => number = () => performance.now()): FedDirectory {
  const listeners = new Set<(tenant: string) => void>()
  let model = new AccessModel()
  let filled = false
  let lastWord = Number.NEGATIVE_INFINITY
  let asOf = Number.NEGATIVE_INFINITY

  const fresh = (): boolean => filled && elapsed() - lastWord < freshMs
  const tell = (tenants: ReadonlySet<string>): void => {
    for (const tenant of tenants) for (const listener of listeners) listener(tenant)
  }

  /** What the token itself says, where that decides: undefined where what is bound does. */
  function byClaim(person: Person, permission: string): boolean | undefined {
    if (person.scopes !== undefined && !person.scopes.has(permission)) return false
    const claimed = person.permissions.has(permission)
    if (!fresh()) return claimed
    // Whoever got a role a moment ago has a token that knows more than we have been told; one from the future was dated by a wrong clock.
    const { permissionsTime = Number.NEGATIVE_INFINITY } = person
    return claimed && permissionsTime >= asOf && permissionsTime <= now() + 1_000 ? true : undefined
  }

  return {
    get fresh() {
      return fresh()
    },
    get model() {
      return model
    },
    allows(person, permission, resource) {
      return byClaim(person, permission) ?? model.principal(person)?.allows({ permission, resource, now: now() }) ?? false
    },
    allowsSome(person, permission) {
      return byClaim(person, permission) ?? model.principal(person)?.allowsSome(permission) ?? false
    },
    holdsEverything(key) {
      return filled ? (model.principal(key)?.holdsEverything ?? false) : undefined
    },
    onChange(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    apply(facts) {
      const tenants = new Set<string>()
      for (const fact of facts) for (const tenant of model.apply(fact)) tenants.add(tenant)
      if (filled) tell(tenants)
    },
    replace(next) {
      const tenants = new Set([...model.tenants(), ...next.tenants()])
      model = next
      filled = true
      tell(tenants)
    },
    heard(asOfTime) {
      lastWord = elapsed()
      asOf = Math.max(asOf, asOfTime)
    },
  }
}

/** Decides by the claims of tokens alone. */
export const claimsOnly: AccessDecider = {
  allows: (person, permission) => person.permissions.has(permission) && (person.scopes?.has(permission) ?? true),
  allowsSome: (person, permission) => person.permissions.has(permission) && (person.scopes?.has(permission) ?? true),
  onChange: () => () => {},
}
