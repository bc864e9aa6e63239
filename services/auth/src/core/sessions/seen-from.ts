import { isIPv4, isIPv6 } from 'node:net'

/** Length of a stored user agent; browsers stay below. */
const maxUserAgentLength = 256

/** What a browser calls itself, fit to be stored and shown: bounded, without control characters. */
export function tidyUserAgent(userAgent: string): string {
  return [...userAgent.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')].slice(0, maxUserAgentLength).join('').trim()
}

/** The network of an address, coarse enough not to name a household: IPv4 /24, IPv6 /48. Empty when there is no address. */
export function coarseNetwork(source: string): string {
  const address = source.replace(/%.*$/, '')
  const mapped = address.replace(/^::ffff:/i, '')
  if (isIPv4(mapped)) return `${mapped.split('.').slice(0, 3).join('.')}.0/24`
  if (!isIPv6(address)) return ''
  // The URL parser writes every spelling of an address in one way (RFC 5952).
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back]
  return `${new URL(`http://[${groups.slice(0, 3).join(':')}::]`).hostname.slice(1, -1)}/48`
}
