import type { ServiceName } from '@gatehouse/local'
import type { Constellation } from './constellation.ts'
import type { Replica } from './replica.ts'

/** The value of a metric without regard to its labels; undefined where the replica does not tell. */
export async function metricOf({ ports }: Replica, name: string): Promise<number | undefined> {
  if (ports === undefined) return undefined
  const answer = await fetch(`http://127.0.0.1:${ports.metrics}/metrics`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec((await answer?.text()) ?? '')?.[1]
  return value === undefined ? undefined : Number(value)
}

/** What an operator sees of events that no broker has: as the first replica that answers tells it. */
export async function backPressure(house: Constellation, service: ServiceName): Promise<{ depth: number; ageSeconds: number }> {
  for (const replica of house.of(service)) {
    const [depth, ageSeconds] = await Promise.all([metricOf(replica, 'gatehouse_outbox_depth'), metricOf(replica, 'gatehouse_outbox_age')])
    if (depth !== undefined && ageSeconds !== undefined) return { depth, ageSeconds }
  }
  return { depth: 0, ageSeconds: 0 }
}
