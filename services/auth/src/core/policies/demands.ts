import { SecondFactor_RequiredFor as RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import type { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { Strength, strongerOf } from '@gatehouse/identity'
import type { HeldFactors } from '../../store/factors.ts'
import type { Deps } from '../deps.ts'
import { neededOf, reachOf } from '../factors/held-factors.ts'
import { permissionsOfRoles } from '../roles/permissions-of.ts'
import { allowedOf, enrollable } from './allowed-factors.ts'
import { policyOf, type WholePolicy } from './policy-of.ts'

/** What the tenant asks of a person, whatever the person has. */
export interface Rules {
  readonly policy: WholePolicy
  /** Whether one factor is too little. */
  readonly isSecondRequired: boolean
}

/** What a sign-in of a person comes to. */
export interface Demand {
  /** What counts of what the person has. */
  readonly held: HeldFactors
  /** What has to be reached. */
  readonly strength: Strength
  /** What to add first, where what the person has does not reach it. */
  readonly enrol: readonly Factor[]
}

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** Read it before a transaction begins: whoever holds one connection must not wait for another. */
export async function rulesFor(deps: Pick<Deps, 'batches' | 'lifetimes'>, person: Person, known?: WholePolicy): Promise<Rules> {
  const policy = known ?? (await policyOf(deps, person.tenant))
  return { policy, isSecondRequired: await isSecondRequired(deps, person, policy) }
}

/** Whether the tenant asks this person for a second factor: who holds the permission on one thing, for a time or under a condition holds it. */
export async function isSecondRequired(deps: Pick<Deps, 'batches'>, person: Person, { secondFactor }: WholePolicy): Promise<boolean> {
  if (secondFactor.requiredFor !== RequiredFor.PERMISSION) return secondFactor.requiredFor === RequiredFor.EVERYBODY
  const roles = await deps.batches.everyRole({ tenant: person.tenant, id: person.userId })
  return (await permissionsOfRoles(deps, person.tenant, roles)).includes(secondFactor.permission)
}

/** A second factor that is there is asked for, whichever way the person comes; one that is required and not there has to be added. */
export function demandOf({ policy, isSecondRequired }: Rules, all: HeldFactors, shown: readonly string[] = []): Demand {
  const held = allowedOf(policy, all)
  const strength = strongerOf(neededOf(held), isSecondRequired ? Strength.TWO_FACTORS : Strength.ONE_FACTOR)
  return { held, strength, enrol: reachOf(held, shown) < strength ? enrollable(policy, shown) : [] }
}
