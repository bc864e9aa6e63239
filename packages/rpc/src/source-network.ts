import { isIPv4, isIPv6 } from 'node:net'

/**
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 address, because that is what one customer gets.
 * IPv4-mapped addresses (`::ffff:192.0.2.1`) are their IPv4 address; whatever is no address counts as it stands.
 */
export function sourceNetwork(address: string): string {
  if (isIPv4(address)) return address
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return address
  const groups = expand(plain)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (mapped) return bytesOf(groups[6], groups[7]).join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

function expand(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const missing = Math.max(0, 8 - front.length - back.length)
  return [...front, ...new Array<number>(missing).fill(0), ...back]
}

function groupsOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

function bytesOf(...groups: (number | undefined)[]): number[] {
  return groups.flatMap((group = 0) => [group >> 8, group & 0xff])
}
