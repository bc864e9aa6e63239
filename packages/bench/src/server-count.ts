import type { ServerCount } from './benchmarks/race-by-h2load.ts'
import type { Child } from './child.ts'
import type { EchoPeerActs } from './programs/answer-parent.ts'
import type { EchoGatehouseActs } from './programs/echo-gatehouse.ts'

/** What a peer counted: its handler has no way to fail, and whatever came before it did not echo. */
export function countOfPeer(peer: Child<EchoPeerActs>): () => Promise<ServerCount> {
  return async () => ({ served: await peer.call('served'), errors: 0 })
}

/** What our doors counted, by their own metrics. */
export function countOfOurs(ours: Child<EchoGatehouseActs>, metricsPort: number): () => Promise<ServerCount> {
  return async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    return { served: await ours.call('served'), errors: errorsIn(text) }
  }
}

/** Calls that ended with an error in metrics of Prometheus's text form, without those that the client itself ended. */
export function errorsIn(metrics: string): number {
  const ended = metrics.matchAll(/^rpc_server_call_duration_seconds_count\{[^}]*rpc_response_status_code="([A-Z_]+)"[^}]*\} (\d+)/gm)
  return [...ended].reduce((sum, [, code, count]) => (code === 'OK' || code === 'CANCELLED' ? sum : sum + Number(count)), 0)
}
