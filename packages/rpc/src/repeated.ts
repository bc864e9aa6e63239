import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { fingerprint } from './fingerprint.ts'
import type { MacKeys } from './mac-keys.ts'

/** By what a request is known when it comes again. */
export interface Repeated {
  readonly fingerprint: string
  /** Whether another fingerprint is this request's too, under a key that is being replaced. */
  readonly alsoKnownAs: (other: string) => boolean
}

/** Computes more than one fingerprint only where the first is not the one that is held. */
export function repeated<Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc>, { current, accepted }: MacKeys): Repeated {
  return {
    fingerprint: fingerprint(schema, request, current),
    alsoKnownAs: (other) => accepted.some((key) => key !== current && fingerprint(schema, request, key) === other),
  }
}
