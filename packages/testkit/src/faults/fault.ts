/** What happens to bytes under way between two programs. `up` is towards the target. */
export type Fault =
  /** Each way takes so much longer: a round trip twice that. */
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs?: number }
  /** Open connections end with RST, and so does every new one. */
  | { readonly kind: 'reset' }
  /** Connections are accepted, and nothing arrives on either side. */
  | { readonly kind: 'blackhole' }
  /** Nothing arrives in one direction. */
  | { readonly kind: 'half-open'; readonly direction: Direction }
  /** Each connection carries so little each way. */
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }
  /** Nobody listens; what is open stays open. */
  | { readonly kind: 'refuse' }

export type Direction = 'up' | 'down'

/** Whether nothing gets through in this direction. */
export function holds(fault: Fault | undefined, direction: Direction): boolean {
  return fault?.kind === 'blackhole' || (fault?.kind === 'half-open' && fault.direction === direction)
}
