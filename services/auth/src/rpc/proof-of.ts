import type { ProveInput } from '../core/challenges/prove.ts'

type Proof = ProveInput['proof']

/** The proof of a request; the contract's rules leave no request without one. */
export function proofOf(proof: Proof | { case: undefined; value?: undefined }): Proof {
  if (proof.case === undefined) throw new TypeError('A request without a proof passed its rules')
  return proof
}
