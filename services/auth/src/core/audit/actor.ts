import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from '@gatehouse/rpc'

/** Who did something, as entries name them. */
export interface Actor {
  readonly kind: 'person' | 'service_account' | 'workload' | 'operator' | 'service' | 'stranger'
  readonly id: string
}

export const stranger: Actor = { kind: 'stranger', id: '' }
const service: Actor = { kind: 'service', id: 'auth' }

const acting = new AsyncLocalStorage<Actor>()

/** Runs what somebody does without a call, such as an operator's command. */
export function actingAs<T>(actor: Actor, act: () => T): T {
  return acting.run(actor, act)
}

/** Who acts: the caller of the call, or whoever acts without one. */
export function currentActor(call: Call | undefined): Actor {
  if (call === undefined) return acting.getStore() ?? service
  const { person, workload } = call.caller
  if (person !== undefined) return { kind: person.kind, id: person.id }
  return workload === undefined ? stranger : { kind: 'workload', id: workload }
}

export function thePerson(id: string): Actor {
  return { kind: 'person', id }
}

/** An actor as events name them: `person:ID`, `service_account:ID` or `workload:NAME`. The service that told it did what names nobody. */
export function actorNamed(name: string, teller: string): Actor {
  const [, kind, id = ''] = /^(person|service_account|workload):(.{1,200})$/.exec(name) ?? []
  return kind === undefined ? { kind: 'workload', id: teller } : { kind: kind as Actor['kind'], id }
}
