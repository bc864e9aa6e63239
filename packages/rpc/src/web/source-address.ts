import { BlockList, isIP } from 'node:net'

/** Reads the address of the client: `remote` is the other end of the connection, `forwarded` the `X-Forwarded-For` of the request. */
export type ReadSource = (remote: string | undefined, forwarded: string | undefined) => string

/**
 * Believes `X-Forwarded-For` only as far as our own proxies wrote it: from the right, up to the first address that is none of them.
 * @param trusted addresses and CIDR ranges of the proxies in front of the door.
 * @throws TypeError for an entry that is neither.
 */
export function sourceReader(trusted: readonly string[]): ReadSource {
  const proxies = new BlockList()
  for (const entry of trusted) addRange(proxies, entry)
  const isProxy = (address: string) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (remote, forwarded) => {
    let source = plain(remote ?? '')
    if (forwarded === undefined || trusted.length === 0 || isIP(source) === 0) return source
    for (const entry of forwarded.split(',').reverse()) {
      const hop = plain(entry.trim())
      if (!isProxy(source) || isIP(hop) === 0) return source
      source = hop
    }
    return source
  }
}

function addRange(list: BlockList, entry: string): void {
  const [address = '', length] = entry.split('/')
  const version = isIP(address)
  const bits = length === undefined ? undefined : Number(length)
  if (version === 0 || (bits !== undefined && !/^\d{1,3}$/.test(length ?? '')))
    throw new TypeError(`${entry} is neither an address nor a CIDR range`)
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, bits, family)
}

// A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1.
function plain(address: string): string {
  const mapped = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : ''
  return isIP(mapped) === 4 ? mapped : address
}
