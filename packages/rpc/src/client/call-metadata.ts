import { type WorkloadSigner, workloadHeader } from '@gatehouse/identity'
import { Metadata } from '@grpc/grpc-js'
import { context, trace } from '@opentelemetry/api'

/** What a call carries: the headers that its options name, who we are, and the trace that it belongs to. */
export async function callMetadata(target: string, signer: WorkloadSigner | undefined, header: HeadersInit | undefined): Promise<Metadata> {
  const metadata = new Metadata()
  if (header !== undefined) for (const [name, value] of entriesOf(header)) metadata.add(name, value)
  const span = trace.getSpanContext(context.active())
  if (span !== undefined) metadata.set('traceparent', `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`)
  if (signer !== undefined) metadata.set(workloadHeader, await signer.tokenFor(target))
  return metadata
}

function entriesOf(header: HeadersInit): Iterable<[string, string]> {
  if (header instanceof Headers) return header
  if (Array.isArray(header)) return header.map(([name = '', value = '']): [string, string] => [name, value])
  return Object.entries(header)
}

/** Metadata as Headers; binary values in base64. */
export function headersOf(metadata: Metadata | undefined): Headers {
  const headers = new Headers()
  if (metadata === undefined) return headers
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) headers.append(name, typeof value === 'string' ? value : value.toString('base64'))
  }
  return headers
}
