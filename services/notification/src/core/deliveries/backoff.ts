import type { DeliveryRules } from '../deps.ts'

/** Seconds to wait before the next try: anywhere below a bound that doubles with each try ("full jitter"), so that many failures do not come back as one. */
export function backoffSeconds(
  rules: Pick<DeliveryRules, 'firstDelaySeconds' | 'maxDelaySeconds'>,
  tries: number,
  random: () => number,
): number {
  const bound = Math.min(rules.maxDelaySeconds, rules.firstDelaySeconds * 2 ** Math.min(tries - 1, 30))
  // Never at once: a mail server that says "later" would be asked in a tight loop.
  return bound * (0.05 + 0.95 * random())
}
