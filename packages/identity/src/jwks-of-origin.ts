import type { IssuerRecord } from './issuers.ts'

/** Far more than 32 keys take, far less than hurts. */
const longestBytes = 256 * 1024
const patienceMs = 5_000

/**
 * Loader for programs outside the house: the public keys of one tenant from `<origin>/.well-known/jwks.json`. Follows no redirect, and reads no more than
 * 256 KiB in five seconds.
 * @param origin Where the tenant's pages live, such as `https://id.example.com`; its tokens have `<origin>/oidc` as `iss`.
 */
export function jwksOfOrigin(origin: string, tenant = 'default'): (signal: AbortSignal) => Promise<readonly IssuerRecord[]> {
  const url = new URL('/.well-known/jwks.json', origin)
  return async (signal) => {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]), redirect: 'error' })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`${url.href} answered ${response.status}`)
    }
    const { keys } = JSON.parse(await textOf(response, url)) as { keys?: unknown }
    if (!Array.isArray(keys)) throw new Error(`${url.href} answered no set of keys`)
    const jwks = keys.filter((key) => !isForIdTokens(key)).map((key) => JSON.stringify(key))
    return [{ tenant, origin: url.origin, hosts: [url.host], jwks }]
  }
}

/** Keys that sign ID tokens for clients which asked for RS256 are published beside the others. They sign nothing that is verified here, and are nothing odd to be told of. */
function isForIdTokens(key: unknown): boolean {
  return typeof key === 'object' && key !== null && 'alg' in key && key.alg === 'RS256'
}

async function textOf(response: Response, url: URL): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop cancels what is still to come.
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > longestBytes) throw new Error(`${url.href} answered more than ${longestBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}
