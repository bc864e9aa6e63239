import type { DescMethod, Message } from '@bufbuild/protobuf'
import type { Inbound } from './inbound.ts'

/**
 * One RPC with everything that every call passes through. Both functions throw nothing but ConnectError.
 * `decode` is run once, after the caller was let in; whatever it throws answers as `MALFORMED_REQUEST`, unless it is a Refusal.
 */
export interface GuardedMethod {
  readonly desc: DescMethod
  unary(inbound: Inbound, decode: () => Message): Promise<Message>
  stream(inbound: Inbound, decode: () => Message): AsyncIterable<Message>
}

/** The guarded methods of one service by name (`GetUser`). */
export type GuardedService = ReadonlyMap<string, GuardedMethod>
