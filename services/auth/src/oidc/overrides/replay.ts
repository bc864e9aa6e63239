import { createHash } from 'node:crypto'
import type Provider from 'oidc-provider'
import { translated } from '../error-of.ts'
import type { ProviderParts } from '../oidc-deps.ts'

/** Of any number of equal proofs or assertions at once, one comes for the first time: the library looks first and writes afterwards. */
export function exactReplayDetection(provider: Provider, { acts, tenant }: Pick<ProviderParts, 'acts' | 'tenant'>): void {
  provider.ReplayDetection.unique = (issuer, id, expire) => {
    const key = createHash('sha256').update(`${issuer}\0${id}`).digest()
    return translated(() => acts.records.firstTime(tenant, key, new Date(expire * 1000)))
  }
}
