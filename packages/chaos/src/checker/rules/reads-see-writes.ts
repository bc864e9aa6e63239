import type { Rule } from '../evidence.ts'

/** Whoever reads after an acknowledged write, from whichever replica, sees it. */
export const readsSeeWrites: Rule = {
  name: 'reads-see-writes',
  sentence: 'a read sees every write that was acknowledged before it',
  *contradictions({ operations }) {
    for (const { op, args, attempts } of operations) {
      if (op !== 'read-user') continue
      for (const { outcome } of attempts)
        if (outcome?.kind === 'done' && Number(outcome.result.version) < Number(args.atLeast))
          yield `${args.id} was read at version ${outcome.result.version} after version ${args.atLeast} was acknowledged`
    }
  },
}
