/**
 * Environment of a Node process whose clock is wrong by so much (positive is ahead), beside its own variables: the rest of the machine keeps its time.
 * `Date` and `performance.timeOrigin` are shifted before its first module runs; timers and `performance.now()` measure as ever.
 */
export function clockOffset(ms: number): Record<'NODE_OPTIONS' | 'CLOCK_OFFSET_MS', string> {
  return { NODE_OPTIONS: `--import=${import.meta.resolve('./shift-clock.ts')}`, CLOCK_OFFSET_MS: String(ms) }
}
