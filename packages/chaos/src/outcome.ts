import { Code, ConnectError } from '@connectrpc/connect'
import { reasonOf } from '@gatehouse/rpc'

/** What a caller knows after a call. */
export type Outcome =
  /** Acknowledged, with what the answer said. */
  | { readonly kind: 'done'; readonly result: Readonly<Record<string, string | number>> }
  /** Refused, for a reason that the contract names: nothing happened. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** It may have happened or not. */
  | { readonly kind: 'unknown'; readonly code: string; readonly reason: string }

/** After these nobody knows; after the others the service has decided. */
const open: ReadonlySet<string> = new Set(['unavailable', 'deadline_exceeded', 'internal', 'unknown', 'canceled', 'resource_exhausted'])

export function failure(code: string, reason: string): Exclude<Outcome, { kind: 'done' }> {
  return { kind: open.has(code) ? 'unknown' : 'refused', code, reason }
}

/** What an error of a gRPC client means. */
export function outcomeOf(error: unknown): Outcome {
  const { code, rawMessage } = ConnectError.from(error)
  return failure(Code[code].replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase(), reasonOf(error) ?? rawMessage.slice(0, 200))
}
