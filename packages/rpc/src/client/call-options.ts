import type { CallOptions } from '@connectrpc/connect'
import { tenantHeader } from '@gatehouse/identity'
import type { Call } from '../call.ts'

/** How long a call to a peer may take at most, where nothing says less. */
export const DEFAULT_TIMEOUT_MS = 5000

/** Bounds of a call to a peer. A Call has the same two members, so that a handler can pass its own: `forTenant(call.tenant, call)`. */
export interface Bounds {
  readonly signal?: AbortSignal | undefined
  /** Epoch milliseconds. */
  readonly deadline?: number | undefined
  readonly timeoutMs?: number | undefined
}

/** Options of a call that a workload makes for itself, about one tenant. */
export function forTenant(tenant: string, bounds: Bounds = {}): CallOptions {
  return { headers: { [tenantHeader]: tenant }, ...within(bounds) }
}

/** Options of a call that a workload makes for the caller it serves: with the person's token, where there is one, and never longer than the caller waits. */
export function forCaller(call: Call, bounds: Pick<Bounds, 'timeoutMs'> = {}): CallOptions {
  const authorization = call.caller.person === undefined ? undefined : call.header('authorization')
  const headers = { [tenantHeader]: call.tenant, ...(authorization === undefined ? {} : { authorization }) }
  return { headers, ...within({ signal: call.signal, deadline: call.deadline, timeoutMs: bounds.timeoutMs }) }
}

function within({ signal, deadline, timeoutMs = DEFAULT_TIMEOUT_MS }: Bounds): Pick<CallOptions, 'signal' | 'timeoutMs'> {
  const left = deadline === undefined ? timeoutMs : Math.min(timeoutMs, deadline - Date.now())
  return { timeoutMs: left, ...(signal === undefined ? {} : { signal }) }
}
