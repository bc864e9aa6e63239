import { isIP } from 'node:net'

/**
 * Whether a range is about everybody, or nearly: of IPv4 no network of one's own is larger than 10.0.0.0/8, and of IPv6 none than fd00::/8, so that
 * half of the internet beside its other half is found as well.
 */
export function isAboutEverybody(range: string): boolean {
  const [address = '', length] = range.split('/')
  return isIP(address) !== 0 && length !== undefined && Number(length) < 8
}
