import type { Difference } from '@gatehouse/events'

/** A duration for a person. */
export function seconds(count: number): string {
  if (count < 120) return `${count.toFixed(count < 10 ? 1 : 0)} s`
  if (count < 7200) return `${Math.round(count / 60)} min`
  return count < 172_800 ? `${Math.round(count / 3600)} h` : `${Math.round(count / 86_400)} days`
}

/** A time for a person, to the second. */
export const time = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

/** So many events, for a person. */
export const events = (count: number): string => (count === 1 ? '1 event' : `${count} events`)

export const sizeOf = (bytes: number): string =>
  bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`

/** What an operator does where a stream is missing or is not as it has to be. */
export const makesStream = (service: string): string => `gatehouse migrate ${service} makes it, with a NATS_URL that names the user streams`

export const setsRight = (service: string): string =>
  `gatehouse migrate ${service} sets it right, with a NATS_URL that names the user streams`

export function differencesIn(differences: readonly Difference[]): string {
  return differences
    .map(({ setting, asked, given }) => `${setting} ${JSON.stringify(given)} instead of ${JSON.stringify(asked)}`)
    .join(', ')
}
