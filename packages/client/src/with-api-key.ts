import type { Transport } from '@connectrpc/connect'

/** Calls with an API key, but for those that say themselves whom they are made for. */
export function withApiKey(transport: Transport, apiKey: string): Transport {
  const keyed = (header: HeadersInit | undefined): Headers => {
    const headers = new Headers(header)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${apiKey}`)
    return headers
  }
  return {
    unary: (method, signal, timeoutMs, header, input, values) => transport.unary(method, signal, timeoutMs, keyed(header), input, values),
    stream: (method, signal, timeoutMs, header, input, values) => transport.stream(method, signal, timeoutMs, keyed(header), input, values),
  }
}
