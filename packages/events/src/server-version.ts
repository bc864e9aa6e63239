/** What to put in the place of a nats-server that is too old. */
export const natsVersionFloor = '2.12.12 or newer 2.12, or 2.14.3 or newer'

/** 2.12 has its security fixes from 2.12.12 on, 2.14 from 2.14.3 on, and 2.13 has none. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  if (major !== 2) return major > 2
  if (minor === 12) return patch >= 12
  if (minor === 14) return patch >= 3
  return minor > 14
}
