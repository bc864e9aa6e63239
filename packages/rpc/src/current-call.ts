import type { Caller } from '@gatehouse/identity'
import { context } from '@opentelemetry/api'
import type { Call } from './call.ts'
import { CallContext } from './call-context.ts'
import { callKey } from './trace.ts'
import { RawCallContext } from './web/raw-call.ts'

/**
 * The unary call, or the request of a raw route, that the code runs for, wherever it is; undefined in streams, workers, consumers and commands. For what is written down about a call beside
 * what it does. Who may do what is decided by what is passed on, never by this.
 */
export function currentCall(): Call | undefined {
  const call = context.active().getValue(callKey)
  return call instanceof CallContext || call instanceof RawCallContext ? call : undefined
}

/** A caller as one text: `person:ID`, `service_account:ID` or `workload:NAME`; empty for a stranger. */
export function nameOfCaller({ person, workload }: Caller): string {
  if (person !== undefined) return `${person.kind}:${person.id}`
  return workload === undefined ? '' : `workload:${workload}`
}
