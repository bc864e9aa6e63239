import type { GuardedMethod } from '../guarded-method.ts'
import { overloaded } from '../overloaded.ts'

/** Counts the unary calls that a door serves at once. */
export interface CallBound {
  readonly max: number
  open: number
}

/** The method, refusing with OVERLOADED where the door serves too many calls already: what waits in memory helps nobody. */
export function bounded(method: GuardedMethod, bound: CallBound): GuardedMethod {
  return {
    desc: method.desc,
    async unary(inbound, decode) {
      if (bound.open >= bound.max) throw overloaded('calls')
      bound.open += 1
      try {
        return await method.unary(inbound, decode)
      } finally {
        bound.open -= 1
      }
    },
    stream: (inbound, decode) => method.stream(inbound, decode),
  }
}
