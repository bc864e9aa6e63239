import { metrics, type ObservableResult } from '@opentelemetry/api'
import type { Deps } from '../core/deps.ts'

/** Shows how many keys this replica cannot open, whenever somebody reads the metrics. */
export function meterKeys({ keys }: Pick<Deps, 'keys'>): AsyncDisposable {
  const gauge = metrics.getMeter('@gatehouse/auth').createObservableGauge('gatehouse.auth.keys_shut', {
    description: 'Signing and refresh keys, those for RS256 among them, that AUTH_KEY_ENCRYPTION_KEY does not open',
  })
  const observe = async (result: ObservableResult): Promise<void> => result.observe((await keys.shut()).length)
  gauge.addCallback(observe)
  return {
    async [Symbol.asyncDispose]() {
      gauge.removeCallback(observe)
    },
  }
}
