import type { IncomingMessage } from 'node:http'
import type { RawCall } from '@gatehouse/rpc'

const calls = new WeakMap<IncomingMessage, RawCall>()

/** Remembers the door's call for whatever the library runs for the request. */
export function noteCall(request: IncomingMessage, call: RawCall): void {
  calls.set(request, call)
}

/** The door's call behind a request of the library. */
export function callBehind(request: IncomingMessage): RawCall | undefined {
  return calls.get(request)
}
